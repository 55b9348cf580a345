internal import Issuance
internal import IssueService
internal import NIOCore
internal import TestSupport
internal import WebhookIssuer

extension FuzzTarget {
  /// What an issuer answers: the first line is the field Retry-After, the rest the body.
  static let webhook = FuzzTarget("webhook") { bytes in
    guard let endpoint = try? WebhookEndpoint("https://issuer.example/codes"), let user = UserID("7") else { return }
    let (field, body) = split(bytes)
    let retryAfter = text(field)
    if let wait = RetryAfter.duration(retryAfter, now: TestClock.start) {
      precondition(wait >= .zero, "an issuer asks for time that has passed")
      precondition(TestClock.start.advanced(by: wait) >= TestClock.start, "a wait leads back")
    }
    for status in [0, 200, 204, 302, 404, 429, 503, 999] {
      for body in [WebhookReply.Body.whole(Array(body)), .tooLong(Array(body)), .lost(retryAfter)] {
        let reply = WebhookReply(head: WebhookReply.Head(status: status, retryAfter: retryAfter), body: body)
        switch reply.answer(from: endpoint, now: TestClock.start, RedactedExcerpt(user: user)) {
        case .code: precondition((200..<300).contains(status), "a code is taken of a refusal")
        case .failure(let failure):
          if case .lost = body { continue }
          precondition(isOneLine(failure.error), "a failure has more than one line")
        }
      }
    }
  }

  /// Where an issuer is, as an operator wrote it.
  static let endpoint = FuzzTarget("endpoint") { bytes in
    guard let endpoint = try? WebhookEndpoint(text(bytes)) else { return }
    precondition((try? WebhookEndpoint(endpoint.url)) == endpoint, "a URL is called that is read as another")
    precondition((1...65_535).contains(endpoint.port) && !endpoint.host.isEmpty, "a URL leads nowhere")
  }

  /// What the service answers, as the client of `bench` reads it.
  static let load = FuzzTarget("load") { bytes in
    let question = LoadRequest(campaign: "summer", user: "mina")
    for status in [0, 100, 200, 201, 302, 400, 404, 408, 409, 429, 503, 999] {
      let answer = LoadAnswer(status: status, retryAfter: nil, body: ByteBuffer(bytes: bytes), to: question)
      if case .seat(let seat, _) = answer { precondition(seat > 0 && status < 300, "a seat is read that is none") }
    }
  }
}
