internal import Issuance
internal import Synchronization

/// How many requests each source network may send: a token bucket for each IPv4 /24 and IPv6 /56.
///
/// Memory is bounded: of the networks that were seen, two generations are kept. One that is forgotten, because so many
/// others have come since, begins again with a full bucket.
final class NetworkBuckets: Sendable {
  private struct Bucket {
    var tokens: Double
    var filledAt: ContinuousClock.Instant
  }

  private struct Generations {
    var present: [[UInt8]: Bucket] = [:]
    var past: [[UInt8]: Bucket] = [:]
  }

  private let perSecond: Double
  private let burst: Double
  private let capacity: Int
  private let generations = Mutex(Generations())

  /// - Parameters:
  ///   - perSecond: requests per second of one network in the long run.
  ///   - burst: how many it may have saved up.
  ///   - capacity: networks of one generation.
  init(perSecond: Int, burst: Int, capacity: Int = 50_000) {
    self.perSecond = Double(perSecond)
    self.burst = Double(max(1, burst))
    self.capacity = capacity
  }

  /// Takes a token of the network that `address` is in.
  ///
  /// - Returns: `nil` where there was one; else the whole seconds until there is.
  func take(for address: [UInt8], now: ContinuousClock.Instant) -> Int? {
    let network = Array(address.prefix(address.count == 4 ? 3 : 7))
    return generations.withLock { generations in
      var bucket =
        generations.present[network] ?? generations.past[network] ?? Bucket(tokens: burst, filledAt: now)
      let elapsed = max(0, (now - bucket.filledAt) / .seconds(1))
      bucket = Bucket(tokens: min(burst, bucket.tokens + elapsed * perSecond), filledAt: now)
      let hasToken = bucket.tokens >= 1
      if hasToken { bucket.tokens -= 1 }
      if generations.present[network] == nil, generations.present.count >= capacity {
        generations.past = generations.present
        generations.present = [:]
      }
      generations.present[network] = bucket
      return hasToken ? nil : Int(((1 - bucket.tokens) / perSecond).rounded(.up))
    }
  }

  /// How many networks are remembered.
  var count: Int { generations.withLock { $0.present.count + $0.past.count } }
}

/// How many claims each user has in hand. It holds only users who have one.
final class PerUserLimiter: Sendable {
  private let limit: Int
  private let inFlight = Mutex<[UserID: Int]>([:])

  init(limit: Int) { self.limit = limit }

  /// - Returns: whether the user may have one more in hand. Who may gives it back with ``release(_:)``.
  func acquire(_ user: UserID) -> Bool {
    inFlight.withLock { inFlight in
      guard inFlight[user, default: 0] < limit else { return false }
      inFlight[user, default: 0] += 1
      return true
    }
  }

  func release(_ user: UserID) {
    inFlight.withLock { inFlight in
      guard let count = inFlight[user] else { return }
      inFlight[user] = count > 1 ? count - 1 : nil
    }
  }
}
