internal import NIOCore
internal import ServiceKit
internal import Synchronization

/// Says once, on standard output, where the service listens, when both listeners do.
final class StartupNotice: Sendable {
  struct Addresses {
    var claims: SocketAddress?
    var operations: SocketAddress?
  }

  private let addresses = Mutex(Addresses())
  private let whenBothRun: @Sendable (String) -> Void

  init(whenBothRun: @escaping @Sendable (String) -> Void) { self.whenBothRun = whenBothRun }

  func running(_ listener: any WritableKeyPath<Addresses, SocketAddress?> & Sendable, at address: SocketAddress?) {
    addresses.withLock { addresses in
      addresses[keyPath: listener] = address
      guard let claims = addresses.claims?.url, let operations = addresses.operations?.url else { return }
      let text = "claims on \(claims), operations on \(operations)"
      whenBothRun(text)
      do {
        try printResult(text)
      } catch {
        printError("\(error)")  // the service itself is none the worse
      }
    }
  }
}

extension SocketAddress {
  fileprivate var url: String? {
    if let pathname { return "unix:\(pathname)" }
    guard let ipAddress, let port else { return nil }
    return ipAddress.contains(":") ? "http://[\(ipAddress)]:\(port)" : "http://\(ipAddress):\(port)"
  }
}
