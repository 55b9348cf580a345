internal import Foundation
internal import TestSupport

/// Programs where something around them is wrong all the time, or where they stand still.
struct ConditionHarness: Harness {
  let name = "conditions"
  let unit = "conditions"
  let stride = 4
  let columns = ["command or scene", "condition", "how it ended"]
  let summary = """
    Each command on a disk that is full, almost full or read-only, with few descriptors, and with its output closed or
    full: it ends with a documented exit code and says what to do, or has done all that it does elsewhere; nothing that
    stood is lost; when the condition is over, the same again does it, and the report is CLEAN. Then scenes: a batch and
    a consumer that are stopped past their lease, a service that is stopped while it holds the write lock, locks of the
    stopped and of the dead, a service with fewer descriptors than connections, and many programs on one file.
    """

  private enum Part {
    case command(SweptCommand)
    case scene(Scene)
  }

  private static let short = ["campaign pause", "consume --once", "retry-batch --once", "reconcile report"]
  private static let commands = SweptCommand.all.filter { $0.arguments != ["serve"] }

  /// The parts of the short form come first, so that a trial is the same in both.
  private static let parts: [Part] =
    commands.filter { short.contains($0.name) }.map(Part.command) + Scene.allCases.map(Part.scene)
    + commands.filter { !short.contains($0.name) }.map(Part.command)

  /// The long form goes three times through all parts, with other measures.
  func trials(in form: Form) -> Int {
    form == .short ? Self.short.count + Scene.allCases.count : 3 * Self.parts.count
  }

  func demands(in form: Form) -> [String: Int] {
    let commands = form == .short ? Self.short.count : 3 * Self.commands.count
    return [
      "commands on a full disk": 2 * commands, "commands on a read-only disk": commands,
      "commands with few descriptors": 2 * commands, "commands with nowhere to print to": 2 * commands,
      "refused": 2 * commands, "scenes": trials(in: form) - commands, "fenced attempts": form == .short ? 2 : 6,
      "writers that waited in vain": form == .short ? 2 : 6, "acknowledged": form == .short ? 500 : 1_500,
    ]
  }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    for trial in trials {
      var drawn = SplitMix(state: seed &* 1_000_003 &+ UInt64(trial))
      switch Self.parts[trial % Self.parts.count] {
      case .command(let command):
        try await withThrowingTaskGroup(of: Void.self) { group in
          for condition in Condition.all(&drawn) {
            group.addTask {
              try await ConditionedRun(command: command, condition: condition, trial: trial, tally: tally).run()
            }
          }
          try await group.waitForAll()
        }
      case .scene(let scene):
        try await scene.play(on: Stage(scene, trial: trial, tally: tally))
        tally.count("scenes")
      }
    }
  }
}
