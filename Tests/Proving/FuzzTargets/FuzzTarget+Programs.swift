internal import ArgumentParser
internal import Foundation
internal import Issuance
internal import IssueService
internal import Reconciler
internal import RetryBatch
internal import ServiceKit
internal import TestSupport

extension FuzzTarget {
  /// The arguments of a program, one a line; the first line may name one, else all three read them.
  static let commandLine = FuzzTarget("cli") { bytes in
    let lines = lines(bytes)
    switch lines.first {
    case "issue-service": read(Array(lines.dropFirst()), by: IssueServiceCommand.self)
    case "retry-batch": read(Array(lines.dropFirst()), by: RetryBatchCommand.self)
    case "reconcile": read(Array(lines.dropFirst()), by: ReconcileCommand.self)
    default:
      read(lines, by: IssueServiceCommand.self)
      read(lines, by: RetryBatchCommand.self)
      read(lines, by: ReconcileCommand.self)
    }
  }

  private static func read<Program: ParsableCommand>(_ arguments: [String], by program: Program.Type) {
    do {
      _ = try Program.parseAsRoot(arguments)
    } catch {
      do throws(CLIError) {
        _ = try helpText(for: error, of: program, arguments, columns: 80)
      } catch {
        precondition(error.status == .usage, "a bad command line ends as something else: \(error)")
        precondition("\(error)".split(separator: "\n").count == 3, "a usage error has other than three lines: \(error)")
      }
    }
  }

  /// A configuration file of `serve`.
  static func configurationFile() throws -> FuzzTarget {
    let directory = try ScratchDirectory()
    let path = directory.path("config.json")
    return FuzzTarget("config") { bytes in
      _ = directory
      guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else {
        preconditionFailure("the file cannot be written")
      }
      judge(
        SettingsResolution(ServeCatalogue.all, flags: ["config": path], environment: [:], readsFile: true))
    }
  }

  /// Settings by flag (`--key=value`) and by environment (`KEY=value`), one a line.
  static let settings = FuzzTarget("settings") { bytes in
    var flags: [String: String] = [:]
    var environment: [String: String] = [:]
    for line in lines(bytes) {
      guard let equals = line.firstIndex(of: "=") else { continue }
      let value = String(line[line.index(after: equals)...])
      if line.hasPrefix("--") {
        flags[String(line[..<equals].dropFirst(2))] = value
      } else {
        environment[SettingsResolution.environmentPrefix + line[..<equals]] = value
      }
    }
    judge(SettingsResolution(ServeCatalogue.all, flags: flags, environment: environment))
  }

  private static func judge(_ resolution: SettingsResolution) {
    for warning in resolution.warnings { precondition(isOneLine(warning), "a warning has more than one line") }
    for problem in resolution.problems {
      precondition(
        "\(problem.failure)".split(separator: "\n").count == 3, "a problem has other than three lines: \(problem)")
    }
    _ = try? ServeSettings(resolution)
  }
}
