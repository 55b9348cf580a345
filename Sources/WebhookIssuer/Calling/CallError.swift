internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOSSL

/// What goes wrong on the way to an issuer, in words.
enum CallError {
  /// How long the words of a library may be.
  private static let maximumCharacters = 200

  static func words(for error: any Error) -> String {
    switch error {
    case let error as HTTPClientError: words(for: error)
    case is CancellationError: "the call was stopped"
    case let error as OtherHostsCertificate: "TLS failed: its certificate is not for \(error.host)"
    case is IssuerIsShutDown: "the issuer has been shut down"
    case let error as IOError: unsafe String(cString: strerror(error.errnoCode)).lowercased()
    case ChannelError.connectTimeout: "no connection in time"
    case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: "TLS failed: \(shortened("\(error)"))"
    default: shortened("\(error)")
    }
  }

  private static func words(for error: HTTPClientError) -> String {
    switch error {
    case .connectTimeout, .getConnectionFromPoolTimeout: "no connection in time"
    case .tlsHandshakeTimeout: "TLS failed: no handshake in time"
    case .remoteConnectionClosed: "the connection was closed"
    case .cancelled: "the call was stopped"
    default: shortened("\(error)")
    }
  }

  private static func shortened(_ text: String) -> String {
    let text = RedactedExcerpt.escaped(text)
    return text.count > maximumCharacters ? "\(text.prefix(maximumCharacters))…" : text
  }
}
