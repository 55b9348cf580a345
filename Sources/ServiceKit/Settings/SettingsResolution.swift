internal import Configuration
internal import Foundation

/// A setting with its resolved text and the source of the text.
package struct ResolvedSetting: Sendable {
  package let setting: any SettingDeclaration
  /// The given text, or the default; `nil` if there is neither.
  package let text: String?
  package let origin: SettingOrigin
}

/// Resolves each setting of a catalogue: flags override the environment, and the environment overrides the file.
///
/// An empty variable counts as unset. A bad value is a problem if it wins, and a warning if another source overrides
/// it.
package struct SettingsResolution: Sendable {
  package static let environmentPrefix = "FIRST_COME_"
  /// The setting that names the configuration file. The file itself cannot contain it.
  package static let file = Setting<String?>(
    "config", "the file that holds settings: a JSON object, keys as here", SettingType.path.optional, default: nil)

  /// In catalogue order, with ``file`` first if the file is a source.
  package let settings: [ResolvedSetting]
  package let problems: [SettingProblem]
  package let warnings: [String]
  private let texts: [String: String]

  package static var processEnvironment: [String: String] { ProcessInfo.processInfo.environment }

  /// - Parameters:
  ///   - flags: the values of the command line, by key.
  ///   - readsFile: whether the file that `config` names is a source.
  ///   - otherPrograms: settings of other programs. One file of variables serves all programs, so their variables are
  ///     known.
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

  /// The resolved value, else the default. A rejected value counts as not given: see ``problems``.
  package subscript<Value>(setting: Setting<Value>) -> Value {
    texts[setting.key].flatMap(setting.value(of:)) ?? setting.initial
  }

  /// Whether a source gives a value.
  package func isGiven(_ setting: any SettingDeclaration) -> Bool { texts[setting.key] != nil }
}

/// The sources, and the results so far.
private struct SettingsValidation {
  let flags: [String: String]
  private let environment: any ConfigSnapshot
  private var fileValues: SettingsFile?
  private(set) var settings: [ResolvedSetting] = []
  private(set) var problems: [SettingProblem] = []
  private(set) var warnings: [String] = []
  /// The given texts, by key.
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

  /// The values of all sources, in order of precedence.
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
