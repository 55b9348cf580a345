internal import HummingbirdCore
internal import NIOCore
internal import ServiceKit

/// Where a listener is.
package enum ListenAddress: Sendable, Equatable, CustomStringConvertible {
  /// A name or a numeric address, without brackets. Port 0 is any free port.
  case host(String, port: Int)
  /// A socket in the file system, by its absolute path.
  case unix(path: String)

  /// What the system can take as the path of a socket, in bytes (`sun_path` without its end).
  static let maximumPathBytes = 107

  static let settingType = SettingType<ListenAddress>(
    placeholder: "ADDRESS",
    expected: "HOST:PORT with a port from 0 to 65535, or unix:/PATH of at most \(maximumPathBytes) bytes",
    read: { ListenAddress($0) }, write: { $0.description })

  /// Reads `127.0.0.1:8080`, `localhost:8080`, `[::1]:8080` or `unix:/run/first-come.sock`; `nil` for another form.
  package init?(_ text: String) {
    if text.hasPrefix("unix:") {
      let path = text.dropFirst("unix:".count)
      guard path.hasPrefix("/"), !path.hasSuffix("/"), path.utf8.count <= Self.maximumPathBytes,
        String(path) == String(path).withoutControlCharacters
      else { return nil }
      self = .unix(path: String(path))
      return
    }
    let form = #/(?:(?<name>[A-Za-z0-9._\-]+)|\[(?<address>[0-9A-Fa-f:.]+)\]):(?<port>[0-9]{1,5})/#
    guard let parts = text.wholeMatch(of: form), let port = UInt16(parts.port) else { return nil }
    if let address = parts.address {
      guard case .v6 = try? SocketAddress(ipAddress: String(address), port: 0) else { return nil }
    }
    guard let host = parts.name ?? parts.address else { return nil }
    self = .host(String(host), port: Int(port))
  }

  package var description: String {
    switch self {
    case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }

  /// Whether no other machine reaches it.
  package var isLoopback: Bool {
    switch self {
    case .unix: true
    case .host(let host, _):
      switch try? SocketAddress(ipAddress: host, port: 0) {
      case .v4: host.hasPrefix("127.")
      case .v6: host == "::1"
      default: host.lowercased() == "localhost"
      }
    }
  }

  /// Whether a field Host names this listener: by the host that it was given, by localhost or by a loopback address, at
  /// whatever port, since a tunnel has another. Whoever can reach a socket of the file system needs no name.
  package func isNamed(byHost field: String) -> Bool {
    guard case .host(let host, _) = self else { return true }
    let name = field.replacing(#/:[0-9]*$/#, with: "").lowercased()
    return name == host.lowercased() || ["localhost", "[::1]"].contains(name)
      || name.wholeMatch(of: #/127(\.[0-9]{1,3}){3}/#) != nil
  }

  var isAnyFreePort: Bool { if case .host(_, port: 0) = self { true } else { false } }

  var bindAddress: BindAddress {
    switch self {
    case .host(let host, let port): .hostname(host, port: port)
    case .unix(let path): .unixDomainSocket(path: path)
    }
  }
}
