package import History
internal import Synchronization
package import TestSupport

/// Writes down what clients and operators do and hear, on one monotonic clock.
package final class Recorder: Sendable {
  /// An answer that the contract does not know.
  package struct Unreadable: Error, CustomStringConvertible {
    package let description: String
  }

  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private let held = Mutex(ClaimHistory())

  package init() { start = clock.now }

  package var history: ClaimHistory { held.withLock { $0 } }

  /// Nanoseconds since the recorder was made.
  package var now: UInt64 {
    let (seconds, attoseconds) = (clock.now - start).components
    return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
  }

  package func died(_ process: String) {
    let at = now
    held.withLock { $0.deaths.append(Death(process: process, at: at)) }
  }

  /// One claim, sent once.
  @discardableResult
  package func claim(_ user: String, from campaign: String, at service: Fleet.Service) async throws -> Answer {
    let begun = now
    let answer: Answer
    do {
      answer = try Self.answer(to: try await HTTP.claim(user, from: campaign, at: service.address), of: user)
    } catch let error as Unreadable {
      throw error
    } catch {
      answer = .unknown  // the service died: it may have happened
    }
    let operation = History.Operation(
      campaign: campaign, user: user, begun: begun, ended: now, answer: answer, process: service.process)
    held.withLock { $0.operations.append(operation) }
    return answer
  }

  /// What the user is shown of a claim; nothing is written down where nobody answered.
  package func status(of user: String, in campaign: String, at service: Fleet.Service) async throws {
    let begun = now
    guard let response = try? await HTTP.status(of: user, in: campaign, at: service.address) else { return }
    guard response.status == 200 || response.status == 404 else { return }
    let json = try response.json()
    let shown = Shown(
      campaign: campaign, user: user, begun: begun, ended: now, seat: json["seat"]?.int,
      code: json["code"]?.string)
    held.withLock { $0.shown.append(shown) }
  }

  /// What an operator does to a campaign.
  package func act(_ kind: Act.Kind, on campaign: String, of database: String) async throws -> Program.Result {
    let arguments =
      switch kind {
      case .raised(let quota): ["raise-quota", campaign, "--quota", "\(quota)"]
      case .paused: ["pause", campaign]
      case .resumed: ["resume", campaign]
      case .closed: ["close", campaign]
      }
    let begun = now
    let done = try await Program.issueService.run(["campaign"] + arguments + ["--database", database])
    if done.status == 0 {
      held.withLock { $0.acts.append(Act(campaign: campaign, begun: begun, ended: now, kind: kind)) }
    }
    return done
  }

  /// Reads the database in one snapshot.
  package func read(_ label: String, _ database: String) throws {
    let begun = now
    let campaigns = try DatabaseReading.campaigns(of: database)
    held.withLock { $0.readings.append(Reading(label: label, begun: begun, ended: now, campaigns: campaigns)) }
  }

  private static func answer(to response: HTTP.Response, of user: String) throws -> Answer {
    let json = try response.json()
    let body = String(decoding: response.body, as: UTF8.self)
    switch (response.status, try response.problem, json["outcome"]?.string) {
    case (201, _, _): return .accepted(seat: json["seat"]?.int ?? 0, body: body)
    case (200, _, _): return .same(seat: json["seat"]?.int ?? 0, body: body)
    case (409, "sold-out", _): return .soldOut
    case (409, "paused", _): return .paused
    case (410, "closed", _): return .closed
    case (503, _, "none"), (429, "too-many-requests", "none"): return .nothingHappened
    case (500..., _, "unknown"): return .unknown
    default: throw Unreadable(description: "\(user) got \(response.status) \(body)")
    }
  }
}
