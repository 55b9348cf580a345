internal import ArgumentParser
internal import Foundation
internal import History

@main
struct CheckHistoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-history", abstract: "Holds what clients wrote down against what the database said.",
    discussion: """
      Reads a history as lines of JSON: claims, acts, statuses shown, deaths of processes, readings of the database, and
      the final state. Ends 0 where every promise held, 2 where one was broken, 3 where too little happened to prove
      anything, 65 where a line cannot be read.
      """)

  @Argument(help: "The history; - for standard input.")
  var file: String

  @Option(help: "How many claims must have been accepted at least.")
  var leastAccepted = 1

  @Option(help: "How many processes must have died at least.")
  var leastDeaths = 0

  func run() throws {
    let history: HistoryFile
    do {
      let data =
        file == "-"
        ? FileHandle.standardInput.readDataToEndOfFile() : try Data(contentsOf: URL(fileURLWithPath: file))
      history = try HistoryFile(reading: String(decoding: data, as: UTF8.self))
    } catch {
      FileHandle.standardError.write(Data("error: cannot read \(file)\n  why:  \(error)\n".utf8))
      throw ExitCode(65)
    }
    let summary = HistorySummary(history.history)
    print(summary)
    print(
      "\(history.history.readings.count) readings, \(history.history.deaths.count) deaths, \(history.final.count) campaigns"
    )
    let violations = HistoryChecker.violations(in: history.history, final: history.final)
    for violation in violations { print("BROKEN: \(violation)") }
    if !violations.isEmpty { throw ExitCode(2) }
    if summary.accepted < leastAccepted || history.history.deaths.count < leastDeaths || history.final.isEmpty {
      print("PROVES NOTHING: \(leastAccepted) acceptances, \(leastDeaths) deaths and a final state were demanded")
      throw ExitCode(3)
    }
    print("every promise held")
  }
}
