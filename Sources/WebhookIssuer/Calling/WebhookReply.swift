internal import AsyncHTTPClient
internal import FoundationEssentials
package import Issuance
internal import NIOCore

/// What an issuer answered, and what it means. Pure but for the reading of the body.
package struct WebhookReply: Sendable {
  package struct Head: Sendable {
    let status: Int
    /// The field as it came.
    let retryAfter: String?

    package init(status: Int, retryAfter: String?) {
      self.status = status
      self.retryAfter = retryAfter
    }
  }

  package enum Body: Sendable {
    case whole([UInt8])
    /// More than ``WebhookReply/maximumBytes``: its beginning.
    case tooLong([UInt8])
    /// Why it did not come whole.
    case lost(String)
  }

  /// The largest body that is read.
  static let maximumBytes = 64 << 10

  let head: Head
  let body: Body

  package init(head: Head, body: Body) {
    self.head = head
    self.body = body
  }

  package func answer(from endpoint: WebhookEndpoint, now: Timestamp, _ excerpts: RedactedExcerpt) -> CodeResponse {
    if let code { return .code(code) }
    return .failure(failure(from: endpoint, now: now, excerpts))
  }

  /// The code, where the issuer gave one.
  private var code: CouponCode? {
    guard isSuccess, case .whole(let bytes) = body,
      let answer = try? JSONDecoder().decode(Answer.self, from: Data(bytes))
    else { return nil }
    return CouponCode(answer.code)
  }

  private struct Answer: Decodable {
    let code: String
  }

  /// The failure that this reply is, given that there is no usable code in it.
  func failure(from endpoint: WebhookEndpoint, now: Timestamp, _ excerpts: RedactedExcerpt) -> IssuerFailure {
    var words = "\(endpoint.authority) answered \(head.status)"
    if isSuccess {
      words += " without a usable code"
    } else if (300..<400).contains(head.status) {
      words += ", and redirects are not followed"
    }
    return IssuerFailure(
      kind, words + bodyWords(excerpts),
      retryAfter: head.retryAfter.flatMap { RetryAfter.duration($0, now: now) })
  }

  private func bodyWords(_ excerpts: RedactedExcerpt) -> String {
    switch body {
    case .whole([]): ", with an empty body"
    case .whole(let bytes): ": \(excerpts.beginning(of: bytes))"
    case .tooLong(let bytes): " and more than \(Self.maximumBytes) bytes: \(excerpts.beginning(of: bytes))"
    case .lost(let why): ", but its body was lost: \(why)"
    }
  }

  private var isSuccess: Bool { (200..<300).contains(head.status) }

  private var kind: FailureKind { Self.kind(ofStatus: head.status) }

  /// What a status means where no code came with it.
  static func kind(ofStatus status: Int) -> FailureKind {
    switch status {
    case 408, 425, 429: .transient
    // What stands before the issuer does not reach it, or the URL leads elsewhere: no matter which seat asks.
    case 300..<400, 502, 503, 504: .infrastructure
    case 400..<500: .permanent
    default: .transient
    }
  }
}

extension WebhookReply.Body {
  /// Reads up to ``WebhookReply/maximumBytes``. What has come with the status is kept when the rest does not come.
  init(of stream: HTTPClientResponse.Body) async {
    var bytes: [UInt8] = []
    do {
      for try await part in stream {
        bytes += part.readableBytesView
        guard bytes.count <= WebhookReply.maximumBytes else {
          self = .tooLong(bytes)
          return
        }
      }
      self = .whole(bytes)
    } catch {
      self = .lost(CallError.words(for: error))
    }
  }
}
