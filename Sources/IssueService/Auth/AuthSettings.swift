package import ServiceKit

/// How users are known, as `--identity` names it.
package enum IdentityMode: String, Sendable, CaseIterable {
  case header, jwt
}

/// What the settings of `serve` say of identity; nothing of it is judged yet.
package struct IdentitySettings: Sendable, Equatable {
  package var mode: IdentityMode?
  /// Empty where none is named.
  package var trustedProxies: [Network] = []
  package var secretFile: String?
  package var keySetFile: String?
  package var issuer: String?
  package var audience: String?
  package var leeway = Duration.zero

  package init() {}
}

/// Where the keys of tokens are, and what the tokens must say.
package struct JWTSettings: Sendable, Equatable {
  package enum Keys: Sendable, Equatable {
    /// A file with the secret of HS256.
    case secret(file: String)
    /// A file with a JWKS of public keys, for ES256 and EdDSA.
    case keySet(file: String)
  }

  package var keys: Keys
  /// Where set, tokens must name exactly it in `iss`.
  package var issuer: String?
  /// Where set, tokens must name it in `aud`; where not, they may name nobody there.
  package var audience: String?
  /// By how much the issuer's clock may differ from this machine's.
  package var leeway: Duration
  /// Whose `X-Forwarded-For` is believed, for the limit of source networks.
  package var trustedProxies: [Network]

  package init(
    keys: Keys, issuer: String? = nil, audience: String? = nil, leeway: Duration = .zero,
    trustedProxies: [Network] = Network.loopback
  ) {
    self.keys = keys
    self.trustedProxies = trustedProxies
    self.issuer = issuer
    self.audience = audience
    self.leeway = leeway
  }
}

/// What may start. Pure: who listens to other machines must say how users are known.
package enum AuthSettings: Sendable, Equatable {
  case header(trustedProxies: [Network])
  case jwt(JWTSettings)

  /// The longest `--jwt-leeway`.
  package static let maximumLeeway = Duration.seconds(300)

  /// - Parameters:
  ///   - listensLocally: Whether the public listener is a loopback address or a Unix socket.
  ///   - credentialsDirectory: The value of `CREDENTIALS_DIRECTORY`, where systemd puts `LoadCredential=` files; taken
  ///     where no file is named.
  /// - Throws: ``CLIError``, exit code 78, that says what to set.
  package init(
    _ settings: IdentitySettings, listensLocally: Bool, credentialsDirectory: String?,
    fileExists: (String) -> Bool
  ) throws(CLIError) {
    switch settings.mode {
    case .jwt:
      self = .jwt(try Self.jwt(settings, credentialsDirectory: credentialsDirectory, fileExists: fileExists))
    case .header: self = .header(trustedProxies: try Self.trustedProxies(settings, listensLocally: listensLocally))
    case nil where listensLocally:
      self = .header(trustedProxies: try Self.trustedProxies(settings, listensLocally: true))
    case nil:
      throw Self.refusal(
        why: "other machines can reach this listener, and --identity does not say how users are known",
        next: "set --identity jwt with --jwt-secret-file or --jwt-jwks-file, or --identity header with --trusted-proxy")
    }
  }

  private static func trustedProxies(
    _ settings: IdentitySettings, listensLocally: Bool
  ) throws(CLIError) -> [Network] {
    let isSet = [
      ("--jwt-secret-file", settings.secretFile != nil), ("--jwt-jwks-file", settings.keySetFile != nil),
      ("--jwt-issuer", settings.issuer != nil), ("--jwt-audience", settings.audience != nil),
      ("--jwt-leeway", settings.leeway != .zero),
    ]
    if let (flag, _) = isSet.first(where: \.1) {
      throw refusal(
        why: "\(flag) is set, but users are known by their X-User-Id header",
        next: "set --identity jwt, or take \(flag) away")
    }
    guard settings.trustedProxies.isEmpty else { return settings.trustedProxies }
    guard listensLocally else {
      throw refusal(
        why: "other machines can reach this listener, and no gateway is named whose X-User-Id is believed",
        next: "name it, for example: --trusted-proxy 10.0.0.7")
    }
    return Network.loopback
  }

  private static func jwt(
    _ settings: IdentitySettings, credentialsDirectory: String?, fileExists: (String) -> Bool
  ) throws(CLIError) -> JWTSettings {
    guard settings.leeway >= .zero, settings.leeway <= maximumLeeway else {
      throw refusal(why: "--jwt-leeway must be 0s to 300s", next: "set it to what the clocks really differ by")
    }
    for (flag, value) in [("--jwt-issuer", settings.issuer), ("--jwt-audience", settings.audience)] where value == "" {
      throw refusal(why: "\(flag) is empty", next: "name what the tokens say there, or take \(flag) away")
    }
    var secret = settings.secretFile
    var keySet = settings.keySetFile
    if secret == nil, keySet == nil, let directory = credentialsDirectory, !directory.isEmpty {
      secret = ["\(directory)/jwt-secret"].first(where: fileExists)
      keySet = ["\(directory)/jwt-jwks"].first(where: fileExists)
    }
    let keys: JWTSettings.Keys
    switch (secret, keySet) {
    case (let file?, nil): keys = .secret(file: file)
    case (nil, let file?): keys = .keySet(file: file)
    case (nil, nil):
      throw refusal(
        why: "--identity jwt needs the key that tokens are signed with",
        next: "set --jwt-secret-file or --jwt-jwks-file, or load the credential jwt-secret or jwt-jwks")
    case (_?, _?):
      throw refusal(
        why: "there are both a secret and a key set, and a token can be believed by one of them only",
        next: "give one of --jwt-secret-file and --jwt-jwks-file, or of the credentials jwt-secret and jwt-jwks")
    }
    return JWTSettings(
      keys: keys, issuer: settings.issuer, audience: settings.audience, leeway: settings.leeway,
      trustedProxies: settings.trustedProxies.isEmpty ? Network.loopback : settings.trustedProxies)
  }

  private static func refusal(why: String, next: String) -> CLIError {
    CLIError(.configuration, "cannot tell who the users are", reason: why, hint: next)
  }
}
