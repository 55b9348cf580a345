internal import Foundation
internal import History
internal import TestSupport

/// Where a scene is played: a database with campaigns of every issuer, the programs, the users and an issuer.
struct Stage: Sendable {
  let place: CrashPlace
  let trial: Int
  let tally: Tally
  let name: String

  init(_ scene: Scene, trial: Int, tally: Tally) async throws {
    // A consumer that dies when it is about to ask leaves its work in the outbox.
    place = try await CrashPlace(crashAt: scene == .consumerStopped ? "lease-calls.before-commit" : "")
    name = scene.rawValue
    self.trial = trial
    self.tally = tally
    try await place.createCampaigns()
  }

  func broke(_ what: String) { tally.broke("\(name): \(what)", in: trial) }

  func expect(_ isTrue: Bool, _ what: @autoclosure () -> String) { if !isTrue { broke(what()) } }

  /// - Returns: what the program ended with, which has to be one of these.
  @discardableResult
  func run(_ program: Program, _ arguments: [String], mayEnd: Set<Int32>) async throws -> Program.Result {
    let result = try await place.run(program, arguments)
    expect(
      mayEnd.contains(result.status),
      "\(arguments.joined(separator: " ")) ended \(result.status): \(result.output.prefix(300)) \(result.errors.prefix(300))"
    )
    return result
  }

  /// As after every fault: others ask, the first ones again, all is healed; then the whole history is judged.
  func judge(_ ended: String) async throws {
    try await place.aftermath { _ in }
    for what in try await place.verdict() { broke(what) }
    tally.count("acknowledged", HistorySummary(place.recorder.history).accepted)
    tally.row(name, "", ended)
  }

  // MARK: Stopped past a lease

  /// Stops a worker while the issuer has its call in hand, lets its lease run out and another do the work, and lets it
  /// go on with the answer that it gets then.
  func stopPastLease(ofBatch isBatch: Bool) async throws {
    _ = try await place.claims("first", crash: !isBatch)  // nobody listens at the issuer's
    if isBatch { try await place.run(.issueService, ["consume", "--once"]) }
    let worker: Program = isBatch ? .retryBatch : .issueService
    let arguments = isBatch ? ["--once", "--campaign", "hook", "--concurrency", "1"] : ["consume", "--once"]
    let before = place.server.requests.count
    let (gate, isStopped) = (Gate(), Latch())
    let stopped = try await place.server.run({ _ in isStopped.isSet ? .code : .late(gate, .code) }) {
      try await worker.runStopped(
        arguments, environment: place.environment, when: { await place.server.requests(before + 1) }
      ) {
        // All its calls are in the issuer's hands: it holds no lock.
        isStopped.set()
        try await Leases.runOut(in: place.database)
        if isBatch { try place.directory.remove("first-come.db.run-lock") }
        var other = try await place.run(worker, arguments)
        for _ in 1...5 where other.status == 4 { other = try await place.run(worker, arguments) }
        expect(other.status == 0, "the other one ended \(other.status): \(other.output) \(other.errors)")
        gate.open()
      }
    }
    expect([0, 4].contains(stopped.status), "the stopped one ended \(stopped.status): \(stopped.errors)")
    let fenced =
      Int(try await place.sql("SELECT count(*) FROM attempt WHERE outcome = 'fenced'").filter(\.isNumber)) ?? 0
    expect(fenced >= 1, "no fenced attempt is on record")
    tally.count("fenced attempts", fenced)
    let codes = Set(try await place.sql("SELECT code FROM coupon WHERE campaign_id = 'hook'").split(separator: "\n"))
    let made = Set(place.server.codes.values.map { Substring($0) })
    expect(codes == made && !codes.isEmpty, "coupons of the issuer: \(codes), and it has made \(made)")
    try await judge("\(stopped.status), fenced")
  }
}
