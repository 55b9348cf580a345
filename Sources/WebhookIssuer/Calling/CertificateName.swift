internal import NIOCore
internal import NIOSSL

/// A certificate that is believed, but is another host's.
struct OtherHostsCertificate: Error {
  let host: String
}

/// Whether a certificate is for the name that was asked for.
///
/// NIOSSL also takes one for the address that it is connected to: whoever answers our look-up with an address of their
/// own, and has a certificate for that, would be the issuer.
enum CertificateName {
  /// Checks a connection before a request is sent on it; closes it where the certificate is another host's.
  ///
  /// - Parameter host: a name, not an address.
  @Sendable static func check(_ channel: any Channel, host: String) -> EventLoopFuture<Void> {
    let certificate = try? channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self).peerCertificate
    let names = certificate?._subjectAlternativeNames().filter { $0.nameType == .dnsName } ?? []
    if names.contains(where: { isName(String(decoding: $0.contents, as: UTF8.self), for: host) }) {
      return channel.eventLoop.makeSucceededVoidFuture()
    }
    // Closed later: first the pool must hear that it never had this connection.
    channel.eventLoop.execute { channel.close(promise: nil) }
    return channel.eventLoop.makeFailedFuture(OtherHostsCertificate(host: host))
  }

  /// Whether a name of a certificate is `host`, or has a `*` for its first label (RFC 6125, 6.4.3).
  static func isName(_ name: String, for host: String) -> Bool {
    let name = name.lowercased()
    if name == host { return true }
    guard name.hasPrefix("*."), let dot = host.firstIndex(of: ".") else { return false }
    return name.dropFirst() == host[dot...] && name.dropFirst(2).contains(".")
  }
}
