internal import Configuration
internal import Foundation

/// The values of a configuration file: one JSON object with the hyphenated names of settings as keys.
struct SettingsFile: Sendable {
  /// The largest file that is accepted, in bytes.
  static let maximumBytes = 1 << 20

  let path: String
  /// Values by key, in the form of a flag.
  private(set) var texts: [String: String] = [:]
  /// Errors in single members. The settings check the values themselves.
  private(set) var problems: [SettingProblem] = []

  /// - Throws: ``CLIError`` with exit code 78 if the file cannot be read or is not a JSON object.
  init(path: String, catalogue: [any SettingDeclaration]) throws(CLIError) {
    self.path = path
    let members = try Self.members(of: try Self.contents(of: path), path: path)
    let settings = Dictionary(catalogue.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    var sound: [(setting: any SettingDeclaration, member: StrictJSON.Member)] = []
    var count: [String: Int] = [:]
    for member in members {
      count[member.name, default: 0] += 1
      if count[member.name] == 2 {
        refuse(member.name, why: "the key stands in it more than once", next: "keep one of them")
      } else if let setting = settings[member.name] {
        if member.value.settingForm == setting.jsonForm {
          sound.append((setting, member))
        } else {
          refuse(member, of: setting)
        }
      } else {
        let nearest = Suggestion.nearest(to: member.name, among: catalogue.map(\.key))
        refuse(
          member.name, why: "no setting is called that" + (nearest.map { "; did you mean \($0)?" } ?? ""),
          next: "see the keys with: issue-service config show; all stand side by side, none inside another")
      }
    }
    do {
      try read(sound.filter { count[$0.member.name] == 1 })
    } catch {
      throw Self.unusable(path, why: "\(error)".withoutControlCharacters)
    }
  }

  /// Reads only the valid members, because the JSON reader rejects the whole file for one bad list.
  private mutating func read(_ sound: [(setting: any SettingDeclaration, member: StrictJSON.Member)]) throws {
    let text = "{\(sound.map(\.member.source).joined(separator: ", "))}"
    let snapshot = try unsafe JSONSnapshot(data: text.utf8.span.bytes, providerName: path, parsingOptions: .default)
    for (setting, member) in sound {
      do {
        let found = try snapshot.value(forKey: AbsoluteConfigKey([setting.key]), type: setting.jsonForm.configType)
        texts[setting.key] = found.value?.content.settingText
      } catch {
        refuse(member, of: setting)  // a number with a fraction, or one too large for any integer
      }
    }
  }

  private mutating func refuse(_ member: StrictJSON.Member, of setting: any SettingDeclaration) {
    refuse(
      member.name,
      why:
        "expected \(setting.jsonForm.rawValue) in JSON (\(setting.expected)); got \(setting.quoted(member.valueText))",
      next: "write it as the example shows: \(setting.jsonExample)")
  }

  private mutating func refuse(_ key: String, why: String, next: String) {
    let shown = String(key.prefix(100)).withoutControlCharacters
    problems.append(
      SettingProblem(
        [key],
        CLIError(
          .configuration, "cannot use the setting \(shown)",
          reason: "\(SettingOrigin.file(path: path, key: shown)): \(why)", hint: next)))
  }

  /// Skips a byte order mark, because some editors write one.
  private static func members(of bytes: [UInt8], path: String) throws(CLIError) -> [StrictJSON.Member] {
    let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    if let members = StrictJSON.orderedMembers(of: bytes) { return members }
    if StrictJSON(bytes) != nil { throw unusable(path, why: "it is not a JSON object") }
    do {
      _ = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    } catch {
      let reason = (error as NSError).userInfo[NSDebugDescriptionErrorKey].map { "\($0)" } ?? "it cannot be parsed"
      throw unusable(path, why: "it is not JSON: \(reason.withoutControlCharacters)")
    }
    throw unusable(
      path,
      why: "it is not JSON (RFC 8259): look for a comma before the end of an object or list, for a name that an inner "
        + "object has twice, and for values more than \(StrictJSON.maximumDepth) levels deep")
  }

  private static func contents(of path: String) throws(CLIError) -> [UInt8] {
    guard FileManager.default.fileExists(atPath: path) else { throw unusable(path, why: "the file does not exist") }
    let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    guard attributes?[.type] as? FileAttributeType == .typeRegular else {
      throw unusable(path, why: "it is not a regular file")
    }
    guard let bytes = try? Data(contentsOf: url) else { throw unusable(path, why: "the system refuses to read it") }
    guard bytes.count <= maximumBytes, String(validating: bytes, as: UTF8.self) != nil else {
      throw unusable(path, why: "it is not UTF-8 text of at most 1 MiB")
    }
    return [UInt8](bytes)
  }

  private static func unusable(_ path: String, why: String) -> CLIError {
    CLIError(
      .configuration, "cannot use the configuration file \(path.withoutControlCharacters)", reason: why,
      hint: "give a JSON object such as {\"listen\": \"127.0.0.1:8080\"}, or leave --config and FIRST_COME_CONFIG out")
  }
}

extension StrictJSON {
  /// The setting form of a JSON value. A value of the integer form may still have a fraction.
  ///
  /// `nil` for an object, a list with values other than strings, `true`, `false` and `null`.
  fileprivate var settingForm: SettingJSONForm? {
    switch self {
    case .string: .string
    case .number: .integer
    case .array(let values): values.allSatisfy { $0.string != nil } ? .list : nil
    case .null, .boolean, .object: nil
    }
  }
}

extension SettingJSONForm {
  fileprivate var configType: ConfigType {
    switch self {
    case .string: .string
    case .integer: .int
    case .list: .stringArray
    }
  }
}

extension ConfigContent {
  /// The value as a flag would give it.
  fileprivate var settingText: String? {
    switch self {
    case .string(let text): text
    case .int(let number): String(number)
    case .stringArray(let parts): parts.joined(separator: ",")
    default: nil
    }
  }
}

extension SettingDeclaration {
  fileprivate var jsonExample: String {
    switch jsonForm {
    case .string: "\"\(key)\": \"\(defaultText.map(shown) ?? "…")\""
    case .integer: "\"\(key)\": \(defaultText.map(shown) ?? "1")"
    case .list: "\"\(key)\": [\"…\", \"…\"]"
    }
  }
}
