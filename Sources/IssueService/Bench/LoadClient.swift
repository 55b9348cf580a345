internal import AsyncHTTPClient
internal import Composition
internal import Foundation
internal import NIOCore
internal import NIOFoundationEssentialsCompat
internal import NIOHTTP1
internal import Synchronization

/// What the answers of a load run were, and where they broke a promise.
struct LoadResult: Sendable {
  var outcomes: [String: Int] = [:]
  var seatOfUser: [Int: Int] = [:]
  var latencies: [Duration] = []
  var violations: [String] = []
  var firstFailure: String?
  var duration = Duration.zero
  private var acceptedUsers: Set<Int> = []
  private var soldOutUsers: Set<Int> = []

  var answered: Int { latencies.count }

  mutating func add(_ answer: LoadClient.Answer, of user: Int, after latency: Duration) {
    outcomes[answer.word, default: 0] += 1
    if case .failed(let why) = answer {
      firstFailure = firstFailure ?? why
      return
    }
    latencies.append(latency)
    switch answer {
    case .seat(let seat, let isRepeat):
      if let known = seatOfUser[user], known != seat {
        violations.append("user \(user) got seat \(known) and seat \(seat)")
      } else if !isRepeat, !acceptedUsers.insert(user).inserted {
        // A repeat may come back before the answer that it repeats.
        violations.append("user \(user) was accepted twice")
      }
      if soldOutUsers.contains(user) { violations.append("user \(user) heard sold out and holds seat \(seat)") }
      seatOfUser[user] = seat
    case .refused("sold-out"):
      soldOutUsers.insert(user)
      if let seat = seatOfUser[user] { violations.append("user \(user) heard sold out and holds seat \(seat)") }
    case .refused, .failed: break
    }
  }
}

/// Claims over real HTTP with kept-alive connections: a new claim starts when one is answered (closed loop).
struct LoadClient: Sendable {
  enum Answer: Sendable {
    case seat(Int, isRepeat: Bool)
    case refused(String)
    /// No answer, or one that says that it is not known.
    case failed(String)

    var word: String {
      switch self {
      case .seat(_, let isRepeat): isRepeat ? "repeat" : "accepted"
      case .refused(let word): word
      case .failed: "failed"
      }
    }
  }

  /// How long one claim may take.
  static let timeout = TimeAmount.seconds(30)

  let claimsURL: String
  let concurrency: Int
  let userPrefix: String

  func run(_ users: [Int]) async throws -> LoadResult {
    var configuration = HTTPClient.Configuration()
    // A service that has gone away is an answer that is not known, at once.
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = concurrency
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    let result = await run(users, with: client)
    try await client.shutdown()
    return result
  }

  private func run(_ users: [Int], with client: HTTPClient) async -> LoadResult {
    let progress = LoadProgress(users: users)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<concurrency {
        group.addTask {
          while let user = progress.next() {
            let start = ContinuousClock.now
            let answer = await claim(for: user, with: client)
            progress.add(answer, of: user, after: ContinuousClock.now - start)
          }
        }
      }
    }
    return progress.finish()
  }

  private struct AcceptedSeat: Decodable { let seat: Int }
  private struct ProblemType: Decodable { let type: String }

  private func claim(for user: Int, with client: HTTPClient) async -> Answer {
    do {
      var request = HTTPClientRequest(url: claimsURL)
      request.method = .POST
      request.headers.add(name: "X-User-Id", value: "\(userPrefix)\(user)")
      let response = try await client.execute(request, timeout: Self.timeout)
      let body = Data(buffer: try await response.body.collect(upTo: 64 << 10))
      switch response.status.code {
      case 200, 201:
        let acceptance = try JSONDecoder().decode(AcceptedSeat.self, from: body)
        return .seat(acceptance.seat, isRepeat: response.status.code == 200)
      case 400..<500:
        let problem = try JSONDecoder().decode(ProblemType.self, from: body)
        return .refused(problem.type.split(separator: "/").last.map(String.init) ?? problem.type)
      default:
        return .failed("status \(response.status.code)")
      }
    } catch {
      return .failed("\(error)")
    }
  }
}

/// The claims of one run and their answers so far, shared by its workers.
private final class LoadProgress: Sendable {
  private struct State {
    var next = 0
    var answers = 0
    var result = LoadResult()
  }

  private let users: [Int]
  private let begun = ContinuousClock.now
  private let state = Mutex(State())

  init(users: [Int]) { self.users = users }

  /// The user of the next claim; `nil` when all have been sent.
  func next() -> Int? {
    state.withLock { state in
      guard state.next < users.count else { return nil }
      defer { state.next += 1 }
      return users[state.next]
    }
  }

  func add(_ answer: LoadClient.Answer, of user: Int, after latency: Duration) {
    let answers = state.withLock { state in
      state.result.add(answer, of: user, after: latency)
      state.answers += 1
      return state.answers
    }
    if answers.isMultiple(of: max(1_000, users.count / 5)) { printError("\(answers) of \(users.count) claims") }
  }

  func finish() -> LoadResult {
    state.withLock { state in
      state.result.duration = ContinuousClock.now - begun
      return state.result
    }
  }
}
