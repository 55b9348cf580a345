internal import ArgumentParser
internal import Foundation
internal import Proof

@main
struct ProveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prove", abstract: "Attacks every promise with every fault of docs/fault-model.md.",
    discussion: """
      Each harness keeps a ledger and goes on from it when it was cut off. Ends 2 where a promise was broken or too
      little was seen to prove anything.
      """)

  @Option(help: ArgumentHelp("Only this harness; may be given again.", valueName: "name"))
  var only: [String] = []

  @Option(help: "short (minutes, beside the tests) or long.")
  var form = Form.long

  @Option(help: "Begins anew with this seed.")
  var seed: UInt64?

  @Option(help: "Makes only this trial of the one harness, with --seed, and writes nothing down.")
  var trial: Int?

  @Option(
    help: ArgumentHelp(
      "Makes these trials of the one harness, with --seed, and prints what they counted: how a harness shares them out.",
      valueName: "from-end"))
  var part: String?

  @Flag(help: "Goes on with the trials that broke, when the harness was wrong and is mended. The report tells of it.")
  var again = false

  @Option(help: "Where the ledgers are.")
  var ledgers = ".prove"

  @Option(help: "Which sources are tried; ledgers of others are begun anew.")
  var tree: String

  @Option(help: "Writes the report of all ledgers to this file.")
  var report: String?

  @Flag(help: "Lists the harnesses.")
  var list = false

  private static var isRelease: Bool {
    #if DEBUG
      false
    #else
      true
    #endif
  }

  func validate() throws {
    for name in only where !harnesses.contains(where: { $0.name == name }) {
      throw ValidationError("there is no harness \(name); --list shows them")
    }
    if trial != nil, only.count != 1 || seed == nil {
      throw ValidationError("--trial needs one --only and the --seed that was printed")
    }
  }

  func run() async throws {
    if list {
      for harness in harnesses { print("\(harness.name): \(harness.summary)") }
      return
    }
    if let range = try partRange, let harness = harnesses.first(where: { only == [$0.name] }), let seed {
      print(try await Prover.part(range, of: harness, seed: seed))
      return
    }
    let prover = Prover(form: form, directory: ledgers, tree: tree, goesOnWhereBroken: again) { line in
      FileHandle.standardError.write(Data("\(line)\n".utf8))
    }
    var isGood = true
    for harness in harnesses where (form == .long && harness.isOfRelease) == Self.isRelease {
      guard only.isEmpty || only.contains(harness.name) else { continue }
      isGood = try await prover.run(harness, seed: seed, trial: trial) && isGood
    }
    if let report { try await write(report) }
    if !isGood { throw ExitCode(2) }
  }

  private var partRange: Range<Int>? {
    get throws {
      guard let part else { return nil }
      let ends = part.split(separator: "-").compactMap { Int($0) }
      guard ends.count == 2, ends[0] < ends[1], only.count == 1, seed != nil else {
        throw ValidationError("--part is two numbers, as 0-500, with one --only and a --seed")
      }
      return ends[0]..<ends[1]
    }
  }

  private func write(_ path: String) async throws {
    let text = FaultReport(
      date: ISO8601DateFormatter().string(from: Date()), tree: tree, machine: try await Machine.here(ledgers),
      proofs: try harnesses.map { ($0, try Ledger.read($0.name, in: ledgers)) }
    ).markdown
    try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}

extension Form: ExpressibleByArgument {}
