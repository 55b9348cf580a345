internal import Configuration
internal import Foundation

/// A setting, the text that won, and where it comes from.
package struct ResolvedSetting: Sendable {
  package let setting: any SettingDeclaration
  /// As it was given, or the default; `nil` where there is none.
  package let text: String?
  package let origin: SettingOrigin
}

/// What the sources say about each setting of a catalogue: flags win over the environment, the environment over the file.
///
/// An empty variable counts as unset. A bad value that wins is a problem; one that another source overrides is a warning.
package struct SettingsResolution: Sendable {
  package static let environmentPrefix = "FIRST_COME_"
  /// Names the file, so it cannot stand in it.
  package static let file = Setting<String?>(
    "config", "the file that holds settings: a JSON object, keys as here", SettingType.path.optional, default: nil)

  /// In the order of the catalogue, the file itself first.
  package let settings: [ResolvedSetting]
  package let problems: [SettingProblem]
  package let warnings: [String]
  private let texts: [String: String]

  package static var processEnvironment: [String: String] { ProcessInfo.processInfo.environment }

  /// - Parameters:
  ///   - flags: what was given on the command line, by key.
  ///   - readsFile: whether a file that `config` names is a source.
  ///   - otherPrograms: settings of other programs. One file of variables serves all programs, so their variables are known.
  package init(
    _ catalogue: [any SettingDeclaration], flags: [String: String], environment: [String: String],
    readsFile: Bool = false, otherPrograms: [any SettingDeclaration] = []
  ) {
    var validation = SettingsValidation(flags: flags, environment: environment)
    if readsFile {
      validation.judge(Self.file)
      if let path = validation.texts[Self.file.key], Self.file.accepts(path) { validation.read(path, catalogue) }
    }
    for setting in catalogue { validation.judge(setting) }
    let names = Set((catalogue + [Self.file] + otherPrograms).map(\.environmentName))
    let unknownKeys = environment.keys.filter { $0.hasPrefix(Self.environmentPrefix) && !names.contains($0) }
    settings = validation.settings
    problems = validation.problems
    texts = validation.texts
    warnings =
      validation.warnings
      + unknownKeys.sorted().map { name in
        let nearest = Suggestion.nearest(to: name, among: names.sorted())
        return "no setting is called \(name.withoutControlCharacters)" + (nearest.map { "; did you mean \($0)?" } ?? "")
      }
  }

  /// The value that won, else the default. A value that was refused counts as not given: see ``problems``.
  package subscript<Value>(setting: Setting<Value>) -> Value {
    texts[setting.key].flatMap(setting.value(of:)) ?? setting.initial
  }

  /// Whether a source gives a value.
  package func isGiven(_ setting: any SettingDeclaration) -> Bool { texts[setting.key] != nil }
}

/// The sources, and what was found so far.
private struct SettingsValidation {
  let flags: [String: String]
  private let environment: any ConfigSnapshot
  private var fileValues: SettingsFile?
  private(set) var settings: [ResolvedSetting] = []
  private(set) var problems: [SettingProblem] = []
  private(set) var warnings: [String] = []
  /// What was given, by key.
  private(set) var texts: [String: String] = [:]

  init(flags: [String: String], environment: [String: String]) {
    self.flags = flags
    self.environment = EnvironmentVariablesProvider(environmentVariables: environment).snapshot()
  }

  mutating func read(_ path: String, _ catalogue: [any SettingDeclaration]) {
    do {
      let file = try SettingsFile(path: path, catalogue: catalogue)
      fileValues = file
      problems += file.problems
    } catch {
      problems.append(SettingProblem([SettingsResolution.file.key], error))
    }
  }

  mutating func judge(_ setting: any SettingDeclaration) {
    let given: [(text: String, origin: SettingOrigin)]
    do {
      given = try values(of: setting)
    } catch {
      problems.append(
        SettingProblem(
          [setting.key],
          CLIError(
            .configuration, "cannot read the setting \(setting.key)", reason: "\(error)", hint: "correct its value")))
      given = []
    }
    for (index, value) in given.enumerated() where !setting.accepts(value.text) {
      let problem = SettingProblem.badValue(value.text, of: setting, from: value.origin)
      if index == 0 {
        problems.append(problem)
      } else {
        warnings.append("\(given[0].origin) overrides a bad value of \(setting.key): \(problem.failure.reason)")
      }
    }
    texts[setting.key] = given.first?.text
    settings.append(
      ResolvedSetting(
        setting: setting, text: given.first?.text ?? setting.defaultText, origin: given.first?.origin ?? .default))
  }

  /// What the sources give, the one that wins first.
  private func values(of setting: any SettingDeclaration) throws -> [(text: String, origin: SettingOrigin)] {
    var values: [(text: String, origin: SettingOrigin)] = []
    if let text = flags[setting.key] { values.append((text, .flag(setting.flag))) }
    let variable = try environment.value(forKey: AbsoluteConfigKey([setting.environmentName]), type: .string)
    if case .string(let text) = variable.value?.content, !text.isEmpty {
      values.append((text, .environment(setting.environmentName)))
    }
    if let fileValues, let text = fileValues.texts[setting.key] {
      values.append((text, .file(path: fileValues.path, key: setting.key)))
    }
    return values
  }
}
