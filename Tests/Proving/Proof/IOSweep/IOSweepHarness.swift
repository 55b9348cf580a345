internal import Foundation
internal import TestSupport

/// Every write and sync of each command fails once.
struct IOSweepHarness: Harness {
  let name = "io-sweep"
  let unit = "sweeps"
  let stride = 2
  let columns = ["command", "fault", "calls that failed"]
  let summary = """
    A preloaded library counts the writes, syncs, truncations, renames and creations of a command below the database's
    directory, and makes the N-th fail: EIO, ENOSPC, half a write, killed before, killed after; for all N. After each: a
    documented exit code with a message, nothing lost that stood before or was acknowledged, the same command again
    does or has done it, and the report is CLEAN.
    """

  static let faults = ["eio", "enospc", "short", "kill-before", "kill-after"]

  /// A sweep is one command with one kind of fault, over all its calls.
  func trials(in form: Form) -> Int { (form == .short ? 1 : SweptCommand.all.count) * Self.faults.count }

  func demands(in form: Form) -> [String: Int] {
    form == .short
      ? ["calls that failed": 40, "killed": 15, "refused": 15]
      : ["calls that failed": 1_500, "killed": 500, "refused": 500, "acknowledged claims looked for": 100]
  }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    let library = try await IOFaultLibrary.built()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for trial in trials {
        group.addTask {
          let command = SweptCommand.all[trial / Self.faults.count]
          let fault = Self.faults[trial % Self.faults.count]
          try await Sweep(command: command, fault: fault, library: library, trial: trial, tally: tally).run()
        }
      }
      try await group.waitForAll()
    }
  }
}

/// `Tests/Proving/IOFaults`, compiled once.
actor IOFaultLibrary {
  let path: String
  private let directory: ScratchDirectory
  private static let shared = Mutexed()

  private actor Mutexed {
    private var library: IOFaultLibrary?

    func get() async throws -> IOFaultLibrary {
      if let library { return library }
      let made = try await IOFaultLibrary()
      library = made
      return made
    }
  }

  static func built() async throws -> IOFaultLibrary { try await shared.get() }

  private init() async throws {
    directory = try ScratchDirectory()
    path = directory.path("io_faults.so")
    let source = ProjectRoot.url.appendingPathComponent("Tests/Proving/IOFaults/io_faults.c").path
    let made = try await Program.system("/usr/bin/gcc").run([
      "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", path, source, "-ldl",
    ])
    guard made.status == 0 else { throw HarnessFailure(description: "cannot build \(source): \(made.errors)") }
  }
}

/// Why a harness could not go on.
struct HarnessFailure: Error, CustomStringConvertible {
  let description: String
}
