internal import ArgumentParser
internal import Composition
internal import NIOCore

/// `HOST:PORT` of a listener. Port 0 is any free port.
struct ListenAddress: Sendable, Equatable {
  let host: String
  let port: Int

  /// Reads `127.0.0.1:8080`, `localhost:8080` or `[::1]:8080`.
  ///
  /// - Throws: ``ProgramFailure``: 64 for another form, 78 for an address that other machines could reach. Users are
  ///   believed by their header, so only this machine may send it.
  init(_ text: String, flag: String) throws {
    let form = #/(?<host>[^:\[\]]*|\[[^\]]*\]):(?<port>[0-9]{1,5})/#
    guard let parts = text.wholeMatch(of: form), let port = UInt16(parts.port) else {
      throw ProgramFailure(
        .usage, "cannot listen on '\(text)'", why: "\(flag) must be HOST:PORT with a port of 0 to 65535",
        next: "for example: \(flag) 127.0.0.1:8080")
    }
    let host = parts.host.filter { $0 != "[" && $0 != "]" }
    guard host == "localhost" || Self.isLoopback(host) else {
      throw ProgramFailure(
        .configuration, "cannot listen on '\(text)'",
        why: "\(host) is no loopback address, and users are believed by their X-User-Id header",
        next: "listen on 127.0.0.1 and put a gateway that knows its users in front")
    }
    self.host = host
    self.port = Int(port)
  }

  private static func isLoopback(_ host: String) -> Bool {
    switch try? SocketAddress(ipAddress: host, port: 0) {
    case .v4: host.hasPrefix("127.")
    case .v6: host == "::1"
    default: false
    }
  }
}
