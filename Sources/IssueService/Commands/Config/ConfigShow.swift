internal import ArgumentParser
internal import Composition
internal import ServiceKit

struct ConfigShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows each setting, its value and where it comes from.",
    examples: ["issue-service config show", "issue-service config show --listen 127.0.0.1:9000 --json"],
    discussion: """
      Takes the flags of serve. Where a value is bad, it shows what is wrong
      instead, and ends with 64 or 78.
      """)

  @OptionGroup var json: JSONFlag
  @OptionGroup var options: ServeOptions

  func run() async throws {
    try await runCommand {
      let resolution = options.resolution()
      for warning in resolution.warnings { printError("warning: \(warning)") }
      guard resolution.problems.isEmpty else { throw SettingsRefused(resolution.problems) }
      let report = SettingsReport(resolution)
      try printResult(json.isSet ? try report.json() : report.table(width: Terminal.standardOutput.columns))
      return .done
    }
  }
}

/// The settings as people and programs read them.
struct SettingsReport {
  private let settings: [ResolvedSetting]

  init(_ resolution: SettingsResolution) { settings = resolution.settings }

  /// - Parameter width: of the terminal in columns, at which long values go on in the next line; `nil` for no limit.
  func table(width: Int?) -> String {
    var table = TextTable([.key("KEY"), "VALUE", "FROM"])
    for resolved in settings {
      table.add([resolved.setting.key, resolved.shown ?? "-", resolved.origin.source])
    }
    return table.text(columns: width, longCells: .folded)
  }

  func json() throws -> String {
    let body = Body(
      schemaVersion: 1,
      settings: settings.map { resolved in
        Row(
          key: resolved.setting.key, value: resolved.jsonValue, source: resolved.origin.source,
          name: Nullable(resolved.origin.name))
      })
    return try JSONText.encode(body, isIndented: true)
  }

  private struct Body: Encodable {
    let schemaVersion: Int
    let settings: [Row]
  }

  private struct Row: Encodable {
    let key: String
    let value: JSONValue
    let source: String
    let name: Nullable<String>
  }

  /// A value in the form that it has in the file.
  fileprivate enum JSONValue: Encodable {
    case none
    case text(String)
    case integer(Int)
    case list([String])

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .none: try container.encodeNil()
      case .text(let text): try container.encode(text)
      case .integer(let number): try container.encode(number)
      case .list(let parts): try container.encode(parts)
      }
    }
  }
}

extension ResolvedSetting {
  fileprivate var shown: String? { text.map(setting.shown) }

  fileprivate var jsonValue: SettingsReport.JSONValue {
    guard let text else { return .none }
    if setting.isSecret { return .text(setting.shown(text)) }
    switch setting.jsonForm {
    case .string: return .text(text)
    case .integer: return Int(text).map { .integer($0) } ?? .text(text)
    case .list: return .list(text.listParts)
    }
  }
}
