internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import ServiceKit

/// The service under load, over real HTTP with kept-alive connections.
struct LoadService: Sendable {
  /// How long one claim may take.
  static let timeout = TimeAmount.seconds(30)
  private static let maximumBody = 64 << 10

  private let client: HTTPClient
  let base: String
  private let campaign: String
  /// A claim but for who claims: the URL is taken apart once.
  private let claim: HTTPClient.Request
  private let users: [Claimant]

  /// A user, and the field that says so.
  struct Claimant: Sendable {
    let id: String
    let field: (name: String, value: String)
  }

  /// - Parameters:
  ///   - base: like `http://127.0.0.1:8080`.
  ///   - connections: how many there are at most.
  init(base: String, campaign: String, users: [Claimant], connections: Int) throws {
    self.base = base
    self.campaign = campaign
    self.users = users
    // Connections are given up before the service does (15 s).
    client = HTTPClient(.singleAttempt(idle: .seconds(10), connections: connections))
    claim = try HTTPClient.Request(url: "\(base)/v1/campaigns/\(campaign)/claims", method: .POST)
  }

  func shutdown() async throws { try await client.shutdown() }

  func id(of user: Int) -> String { users[user].id }

  /// Claims once for a user.
  ///
  /// - Returns: the answer, and why there is none.
  func claim(for user: Int) async -> (LoadAnswer, failure: String?) {
    let claimant = users[user]
    var request = claim
    request.headers.add(name: claimant.field.name, value: claimant.field.value)
    do {
      let response = try await send(request)
      let answer = LoadAnswer(
        status: Int(response.status.code), retryAfter: response.headers.first(name: "Retry-After").flatMap { Int($0) },
        body: response.body ?? ByteBuffer(), to: LoadRequest(campaign: campaign, user: claimant.id))
      return (answer, nil)
    } catch is ResponseAccumulator.ResponseTooBigError {
      return (.broken("more than \(Self.maximumBody) bytes"), nil)
    } catch {
      return (.undecided(.noAnswer, retryAfter: nil), "\(error)")
    }
  }

  private struct Campaign: Decodable {
    let accepted: Int
    let quota: Int
  }

  /// What the service says of the campaign.
  ///
  /// - Throws: ``CLIError``: 65 where it knows no such campaign, 69 where it does not say.
  func stats() async throws -> ConsistencyChecker.Stats {
    let response: HTTPClient.Response
    do {
      response = try await send(try HTTPClient.Request(url: "\(base)/v1/campaigns/\(campaign)"))
    } catch {
      throw unavailable("\(error)")
    }
    switch response.status {
    case .ok:
      guard let body = response.body,
        let one = try? JSONDecoder().decode(Campaign.self, from: Data(body.readableBytesView))
      else { throw unavailable("what answers there does not describe the campaign") }
      return ConsistencyChecker.Stats(accepted: one.accepted, quota: one.quota)
    case .notFound:
      throw CLIError(
        .badData, "cannot claim from campaign \(campaign)",
        reason: "the service at \(base) knows no campaign with this id",
        hint: "see which there are with: issue-service campaign list")
    default: throw unavailable("it answers with status \(response.status.code) when asked for the campaign")
    }
  }

  func unavailable(_ why: String) -> CLIError {
    CLIError(
      .unavailable, "cannot claim at \(base)", reason: why,
      hint: "start the service with: issue-service serve; or name the one that runs: --url http://HOST:PORT")
  }

  private func send(_ request: HTTPClient.Request) async throws -> HTTPClient.Response {
    try await client.execute(
      request: request, delegate: ResponseAccumulator(request: request, maxBodySize: Self.maximumBody),
      deadline: .now() + Self.timeout
    ).get()
  }
}
