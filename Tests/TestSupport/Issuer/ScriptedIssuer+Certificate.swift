internal import Foundation
internal import NIOSSL

extension ScriptedIssuer {
  /// Openssl did not do as it was told.
  struct NoCertificate: Error {
    let why: String
  }

  /// Makes an authority and a certificate of its own, valid for two days: `ca.pem`, `issuer.pem` and their keys.
  ///
  /// - Parameter names: as in `DNS:localhost,IP:127.0.0.1`.
  static func certify(_ names: String, in files: ScratchDirectory) async throws -> NIOSSLContext {
    let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    try await openssl(
      in: files,
      ["req", "-x509", "-days", "2", "-subj", "/CN=The authority of a test", "-keyout", "ca.key", "-out", "ca.pem"]
        + newKey + ["-addext", "keyUsage=critical,keyCertSign"])
    try await openssl(
      in: files, ["req", "-subj", "/CN=an issuer", "-keyout", "issuer.key", "-out", "issuer.csr"] + newKey)
    _ = try files.write("subjectAltName=\(names)\n", to: "names")
    try await openssl(
      in: files,
      [
        "x509", "-req", "-days", "2", "-in", "issuer.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-extfile", "names", "-out", "issuer.pem",
      ])
    let chain = try NIOSSLCertificate.fromPEMFile(files.path("issuer.pem")).map {
      NIOSSLCertificateSource.certificate($0)
    }
    let key = try NIOSSLPrivateKey(file: files.path("issuer.key"), format: .pem)
    return try NIOSSLContext(
      configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
  }

  private static func openssl(in files: ScratchDirectory, _ arguments: [String]) async throws {
    let result = try await Program.system("/usr/bin/openssl").run(arguments, in: files.url.path)
    guard result.status == 0 else { throw NoCertificate(why: "openssl \(arguments): \(result.errors)") }
  }
}
