/// Where a value comes from.
package enum SettingOrigin: Sendable, Equatable, CustomStringConvertible {
  case flag(String)
  case environment(String)
  case file(path: String, key: String)
  case `default`

  package var description: String {
    switch self {
    case .flag(let name): "flag \(name)"
    case .environment(let name): "environment \(name)"
    case .file(let path, let key): "file \(path.withoutControlCharacters), key \(key.withoutControlCharacters)"
    case .default: "default"
    }
  }

  /// The kind of source in one word.
  package var source: String {
    switch self {
    case .flag: "flag"
    case .environment: "environment"
    case .file: "file"
    case .default: "default"
    }
  }

  /// The flag, the variable or the file; `nil` for the default.
  package var name: String? {
    switch self {
    case .flag(let name), .environment(let name): name
    case .file(let path, _): path
    case .default: nil
    }
  }

  var isFlag: Bool { if case .flag = self { true } else { false } }
}
