internal import ArgumentParser
internal import Issuance
internal import ServiceKit

/// When claims start. In an open loop each has its time, whatever becomes of those before it.
enum LoadSchedule: Sendable, Equatable {
  /// The next one starts when one is answered.
  case closed
  /// So many a second, until all have started.
  case rate(Double)
  case spike(LoadSpike)

  /// When claim number `index` (from 0) is to start, in nanoseconds from the beginning; `nil` in the closed loop.
  func intendedStart(of index: Int) -> Int64? {
    switch self {
    case .closed: nil
    case .rate(let perSecond): Int64((Double(index) / perSecond * 1e9).rounded())
    case .spike(let spike):
      // In whole numbers, so that the starts are even to the nanosecond.
      Int64(index) / Int64(spike.claims) * spike.duration.inNanoseconds
        + Int64(index) % Int64(spike.claims) * spike.duration.inNanoseconds / Int64(spike.claims)
    }
  }

  /// How many claims are to start in a second; `nil` in the closed loop.
  var claimsPerSecond: Double? {
    switch self {
    case .closed: nil
    case .rate(let perSecond): perSecond
    case .spike(let spike): Double(spike.claims) / (Double(spike.duration.inNanoseconds) / 1e9)
    }
  }
}

/// `--spike 2000/1s`: claims that start evenly spread over a time.
struct LoadSpike: Sendable, Equatable {
  let claims: Int
  let duration: Duration

  static let maximumClaims = 11_000_000
  static let maximumDuration = Duration.seconds(3_600)

  init(claims: Int, in duration: Duration) {
    self.claims = claims
    self.duration = duration
  }

  /// - Throws: `ValidationError` for anything but `N/DURATION` within its limits.
  init(_ text: String) throws {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let claims = Int(digits: parts[0]), (1...Self.maximumClaims).contains(claims),
      let duration = Duration(loadText: parts[1]), duration > .zero, duration <= Self.maximumDuration
    else {
      throw ValidationError(
        "'\(text)' must be claims/time, such as 2000/1s or 500/250ms: 1 to \(Self.maximumClaims) claims, 1us to 60m.")
    }
    self.init(claims: claims, in: duration)
  }
}

extension Int {
  /// Plain decimal digits and nothing else; `nil` for another form or what does not fit.
  fileprivate init?(digits text: Substring) {
    guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    self.init(text)
  }
}

extension Duration {
  /// Reads `250us`, `50ms`, `1s` or `1m`; `nil` for another form.
  init?(loadText text: some StringProtocol) {
    guard let parts = String(text).wholeMatch(of: #/([0-9]{1,12})(us|ms|s|m)/#), let count = Int64(parts.1) else {
      return nil
    }
    switch parts.2 {
    case "us": self = .microseconds(count)
    case "ms": self = .milliseconds(count)
    case "s": self = .seconds(count)
    default: self = .seconds(count * 60)
    }
  }

  /// `--max-p99 50ms`.
  ///
  /// - Throws: `ValidationError` for anything but a time from 1us to 60m.
  static func limit(_ text: String) throws -> Duration {
    guard let limit = Duration(loadText: text), limit > .zero, limit <= .seconds(3_600) else {
      throw ValidationError("'\(text)' must be a time from 1us to 60m, such as 250us, 50ms or 1s.")
    }
    return limit
  }

  /// Whole nanoseconds; what is smaller is cut off.
  var inNanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }

  /// Whole microseconds; what is smaller is cut off.
  var inMicroseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}

/// Who claims, in which order and when; made before the load begins.
struct LoadPlan: Sendable {
  /// The user of each claim, in the order in which they start.
  let claims: [Int32]
  /// How many users there are; they are numbered from 0.
  let users: Int
  let pace: LoadSchedule
  /// How many claims are under way at once.
  let concurrency: Int

  /// How many claims come from how many users.
  struct Size: Sendable, Equatable {
    let users: Int
    let claims: Int
  }

  init(_ size: Size, pace: LoadSchedule, concurrency: Int) {
    var claims = (0..<Int32(size.users)).map { $0 }
    claims.reserveCapacity(size.claims)
    for _ in size.users..<size.claims { claims.append(Int32.random(in: 0..<Int32(size.users))) }
    claims.shuffle()
    self.claims = claims
    users = size.users
    self.pace = pace
    self.concurrency = concurrency
  }
}

extension LoadPlan.Size {
  /// - Parameters:
  ///   - users: how many users there are; `nil` for 10,000, or as many as a spike has claims for.
  ///   - duplicates: how many claims more come from users that claim already, as a share of the users.
  init(users: Int?, duplicates: Double, pace: LoadSchedule) {
    guard case .spike(let spike) = pace else {
      let users = users ?? 10_000
      self.init(users: users, claims: users + Int(duplicates * Double(users)))
      return
    }
    let distinct = max(1, Int((Double(spike.claims) / (1 + duplicates)).rounded()))
    self.init(users: min(users ?? distinct, distinct), claims: spike.claims)
  }
}

/// Bearer tokens for users, as an issuer would hand them out: JWTs signed by HS256.
struct LoadTokens: Sendable, Redacted {
  private struct Claims: Encodable {
    let sub: String
    let exp: Int64
    let iss: String?
    let aud: String?
  }

  /// How long a token is valid: longer than any load lasts.
  static let validity = Duration.seconds(24 * 3_600)

  private let key: TokenKey
  private let issuer: String?
  private let audience: String?
  private let expires: Int64

  /// - Throws: ``CLIError``, exit code 78, for a file that cannot be used.
  init(secretFile: String, issuer: String?, audience: String?, now: Timestamp) async throws {
    key = try await TokenKey(try Secret(file: secretFile))
    self.issuer = issuer
    self.audience = audience
    expires = now.advanced(by: Self.validity).microseconds / 1_000_000
  }

  /// The value of `Authorization` that says to be this user.
  func authorization(of user: String) throws -> String {
    let header = Base64URL.encoded(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8))
    let claims = try JSONText.encode(Claims(sub: user, exp: expires, iss: issuer, aud: audience))
    let signedPart = header + [UInt8(ascii: ".")] + Base64URL.encoded(Array(claims.utf8))
    let signature = Base64URL.encoded(try key.signature(of: signedPart))
    return "Bearer " + String(decoding: signedPart + [UInt8(ascii: ".")] + signature, as: UTF8.self)
  }
}
