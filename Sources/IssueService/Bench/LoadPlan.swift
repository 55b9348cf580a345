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
