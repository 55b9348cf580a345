internal import AsyncHTTPClient
package import Issuance
internal import NIOCore
internal import NIOHTTP1
internal import ServiceKit

/// Requests codes from issuers: one signed request per call, over HTTPS, to public addresses and to allowed ones.
///
/// The caller limits the number of concurrent calls; no call waits for another. Call ``shutdown()`` before you
/// release it.
package final class WebhookCodeIssuer: CodeIssuer {
  /// The maximum number of concurrent calls.
  package static let maximumConcurrency = 256
  /// The longest time for a name look-up, and again for a connection. Each gets at most half of the deadline.
  static let longestConnecting = Duration.seconds(5)
  /// The maximum number of addresses that are tried per host.
  private static let addressesTried = 3

  private let keys: WebhookKeys
  private let version: String
  private let clock: WallClock
  private let isAllowed: @Sendable ([UInt8]) -> Bool
  private let names: DNSResolver
  private let clients: HTTPClientPool

  /// - Parameters:
  ///   - roots: the trusted certificate authorities for issuers.
  ///   - version: the version of the program, for `User-Agent`.
  ///   - clock: gives the time that the signature covers, and the start for a date in Retry-After.
  ///   - isAllowed: whether the operator allows this address of 4 or 16 bytes. The result matters for addresses that
  ///     are not public, and for addresses that are called without TLS. An IPv4-mapped address is passed as its IPv4
  ///     address.
  package convenience init(
    keys: WebhookKeys, roots: WebhookRoots = .system, version: String, clock: @escaping WallClock,
    isAllowed: @escaping @Sendable ([UInt8]) -> Bool
  ) {
    self.init(
      keys: keys, roots: roots, version: version, clock: clock, names: DNSResolver(), isAllowed: isAllowed)
  }

  init(
    keys: WebhookKeys, roots: WebhookRoots, version: String, clock: @escaping WallClock, names: DNSResolver,
    isAllowed: @escaping @Sendable ([UInt8]) -> Bool
  ) {
    self.names = names
    self.keys = keys
    self.version = version
    self.clock = clock
    self.isAllowed = isAllowed
    clients = HTTPClientPool(roots: roots)
  }

  /// Ends calls in progress and closes all connections. Later calls fail.
  package func shutdown() async { await clients.shutdown() }

  /// The number of pooled clients for issuers' addresses.
  var keptClients: Int { clients.count }

  /// - Parameter deadline: the limit for the whole call: name look-up, connection, TLS, request and whole answer.
  package func ask(_ call: CodeRequest, within deadline: Duration) async -> CodeResponse {
    let endpoint: WebhookEndpoint
    do {
      endpoint = try WebhookEndpoint(call.endpoint)
    } catch {
      return .failure(
        IssuerFailure(
          .infrastructure,
          "the webhook URL of campaign \(call.campaignID) cannot be called: \(error.why); \(error.next)"))
    }
    let progress = CallProgress()
    return await withTaskGroup(of: CodeResponse?.self) { group in
      group.addTask { await self.exchange(call, endpoint, deadline, progress) }
      group.addTask {
        try? await Task.sleep(for: deadline)
        return nil
      }
      let first = await group.next() ?? nil
      let wasStopped = Task.isCancelled
      group.cancelAll()
      // A cancelled call counts no attempt, regardless of the task that noticed the cancellation first.
      if let first, !wasStopped || first.isCode { return first }
      // The call may have finished at the same moment.
      if case .code(let code)?? = await group.next() { return .code(code) }
      let excerpts = RedactedExcerpt(user: call.userID)
      return .failure(
        wasStopped
          ? IssuerFailure(.infrastructure, "the call of \(endpoint.authority) was stopped")
          : progress.phase.timeout(of: endpoint, after: deadline, now: clock(), excerpts))
    }
  }

  private func exchange(
    _ call: CodeRequest, _ endpoint: WebhookEndpoint, _ deadline: Duration, _ progress: CallProgress
  ) async -> CodeResponse {
    do {
      guard let key = try keys.key(of: call.campaignID) else {
        return .failure(
          IssuerFailure(
            .infrastructure,
            "campaign \(call.campaignID) has no key to sign with: name one with --webhook-key-file"))
      }
      let bound = min(deadline / 2, Self.longestConnecting)
      let addresses = try await names.addresses(of: endpoint.host, within: bound)
      if let refusal = refusal(of: endpoint, at: addresses) { return .failure(refusal) }
      var failure: IssuerFailure?
      for address in addresses.prefix(Self.addressesTried) {
        let request = try WebhookRequest(call, key: key, version: version, now: clock())
        switch await send(request, of: call, to: endpoint, at: address, bound, progress) {
        case .answer(let answer): return answer
        case .notReached(let why): failure = failure ?? why
        }
      }
      return .failure(failure ?? IssuerFailure(.infrastructure, "\(endpoint.host) has no address"))
    } catch let error as WebhookKeyError {
      return .failure(
        IssuerFailure(
          .infrastructure, "cannot sign for campaign \(call.campaignID): \(error.why); \(error.next)"))
    } catch let error as NameLookupError {
      return .failure(IssuerFailure(.infrastructure, "cannot look up \(endpoint.host): \(error.why)"))
    } catch {
      return .failure(
        IssuerFailure(.infrastructure, "cannot ask \(endpoint.authority): \(CallError.words(for: error))"))
    }
  }

  /// Every address must be allowed, not only the one that is called. A name with a private address among its public
  /// ones does not belong to an issuer.
  private func refusal(of endpoint: WebhookEndpoint, at addresses: [IPAddress]) -> IssuerFailure? {
    for address in addresses where !isAllowed(address.folded.bytes) {
      let why: String? = endpoint.scheme == .http ? "not called without TLS unless it is named" : address.privacy
      guard let why else { continue }
      return IssuerFailure(
        .infrastructure,
        "refused to call \(endpoint.authority): its address \(address) is \(why); if it is meant, name it with "
          + "--webhook-allow")
    }
    return nil
  }

  private enum Sent {
    case answer(CodeResponse)
    /// The request was not sent: another address may be tried.
    case notReached(IssuerFailure)
  }

  private func send(
    _ request: WebhookRequest, of call: CodeRequest, to endpoint: WebhookEndpoint, at address: IPAddress,
    _ bound: Duration, _ progress: CallProgress
  ) async -> Sent {
    progress.note(.connecting(address))
    let excerpts = RedactedExcerpt(user: call.userID)
    do {
      let answer = try await clients.with(endpoint, at: address, connectingWithin: bound) { client in
        var message = HTTPClientRequest(url: endpoint.url)
        message.method = .POST
        for field in request.fields { message.headers.add(name: field.name, value: field.value) }
        message.body = .stream(
          SendObservingBody(bytes: request.body) { progress.note(.sent(address)) },
          length: .known(Int64(request.body.count)))
        // The caller enforces the deadline; this timeout only has to be later.
        let response = try await client.execute(message, timeout: .hours(1))
        let head = WebhookReply.Head(
          status: Int(response.status.code), retryAfter: response.headers.first(name: "Retry-After"))
        progress.note(.answering(head))
        let body = await WebhookReply.Body(of: response.body)
        return WebhookReply(head: head, body: body).answer(from: endpoint, now: self.clock(), excerpts)
      }
      return .answer(answer)
    } catch {
      let why = "\(endpoint.authority) at \(address)"
      guard progress.phase.mayHaveReachedIssuer else {
        let failure = IssuerFailure(.infrastructure, "cannot reach \(why): \(CallError.words(for: error))")
        return Task.isCancelled ? .answer(.failure(failure)) : .notReached(failure)
      }
      return .answer(
        .failure(
          IssuerFailure(
            .transient,
            "\(why) was sent the request, but no answer came: \(CallError.words(for: error)); it may have made a code"))
      )
    }
  }
}

extension CodeResponse {
  fileprivate var isCode: Bool { if case .code = self { true } else { false } }
}
