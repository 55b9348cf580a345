internal import Dispatch
internal import Glibc
internal import ServiceKit
internal import Synchronization

/// The reason that a name has no addresses.
struct NameLookupError: Error, Equatable {
  let why: String
}

/// Looks up names with the system's resolver. It blocks its thread, cannot be stopped, and may take half a minute.
final class DNSResolver: Sendable {
  /// The maximum number of concurrent look-ups. A call beyond it fails, because the resolver hangs.
  private static let most = 64

  typealias Answer = Result<[IPAddress], NameLookupError>

  private struct State {
    var waiting: [String: [Int: CheckedContinuation<Answer, Never>]] = [:]
    var next = 0
  }

  private let resolve: @Sendable (String) -> Answer
  private let state = Mutex(State())
  private let timers = DispatchQueue(label: "first-come.name-lookups.timers")

  /// - Parameter resolve: may block its thread.
  init(_ resolve: @escaping @Sendable (String) -> Answer = DNSResolver.system) { self.resolve = resolve }

  /// The addresses of a name, or a numeric address itself; at least one. Concurrent calls for one name share one
  /// look-up.
  func addresses(of host: String, within limit: Duration) async throws(NameLookupError) -> [IPAddress] {
    if let address = IPAddress(numeric: host) { return [address] }
    let ticket = state.withLock { state in
      state.next += 1
      return state.next
    }
    let answer = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        begin(host, ticket, continuation)
        // A task that was cancelled before `begin` was not waiting yet, so `onCancel` did not find it.
        if Task.isCancelled { giveUp(host, ticket, "the call was stopped") }
        let delay = limit.components
        let nanoseconds = Int(delay.seconds) * 1_000_000_000 + Int(delay.attoseconds / 1_000_000_000)
        timers.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { [self] in
          giveUp(host, ticket, "no answer within \(limit)")
        }
      }
    } onCancel: {
      giveUp(host, ticket, "the call was stopped")
    }
    return try answer.get()
  }

  private func begin(_ host: String, _ ticket: Int, _ continuation: CheckedContinuation<Answer, Never>) {
    enum Turn { case first, later, refused(String) }
    let turn = state.withLock { state -> Turn in
      if state.waiting[host] != nil {
        state.waiting[host]?[ticket] = continuation
        return .later
      }
      guard state.waiting.count < Self.most else {
        return .refused("\(Self.most) other names are being looked up and get no answer")
      }
      state.waiting[host] = [ticket: continuation]
      return .first
    }
    switch turn {
    case .later: break
    case .refused(let why): continuation.resume(returning: .failure(NameLookupError(why: why)))
    case .first:
      // A serial queue has its own thread; a concurrent queue would take the threads that tasks run on.
      DispatchQueue(label: "first-come.name-lookup").async { [self] in
        let answer = resolve(host)
        let waiting = state.withLock { $0.waiting.removeValue(forKey: host) } ?? [:]
        for continuation in waiting.values { continuation.resume(returning: answer) }
      }
    }
  }

  /// Resumes one waiting call with an error. The look-up goes on, and its slot stays taken until it ends.
  private func giveUp(_ host: String, _ ticket: Int, _ why: String) {
    let continuation = state.withLock { state in state.waiting[host]?.removeValue(forKey: ticket) }
    continuation?.resume(returning: .failure(NameLookupError(why: why)))
  }

  /// The system's resolver.
  @Sendable static func system(_ host: String) -> Answer {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_ADDRCONFIG
    var first: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, nil, &hints, &first)
    guard code == 0 else { return unsafe .failure(NameLookupError(why: String(cString: gai_strerror(code)))) }
    defer { unsafe freeaddrinfo(first) }
    var addresses: [IPAddress] = []
    var entry = unsafe first
    while let present = unsafe entry {
      if let address = unsafe IPAddress(present.pointee), !addresses.contains(address) { addresses.append(address) }
      unsafe entry = present.pointee.ai_next
    }
    return addresses.isEmpty ? .failure(NameLookupError(why: "it has no address")) : .success(addresses)
  }
}
