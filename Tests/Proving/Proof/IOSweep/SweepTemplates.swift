internal import Foundation
internal import TestSupport

/// Directories with a database in some state, made once by the real programs and copied for each run.
actor SweepTemplates {
  static let shared = SweepTemplates()

  private var made: [SweptCommand.Template: CrashPlace] = [:]

  /// Copies the template's files into a directory.
  func copy(_ template: SweptCommand.Template, to directory: ScratchDirectory) async throws {
    if template == .none { return }
    let place = try await place(template)
    for name in try place.directory.names() where !name.hasSuffix("-shm") {
      try FileManager.default.copyItem(atPath: place.directory.path(name), toPath: directory.path(name))
    }
  }

  private func place(_ template: SweptCommand.Template) async throws -> CrashPlace {
    if let place = made[template] { return place }
    let place = try await CrashPlace(crashAt: template.isOfTheKilled ? "deliver.before-commit" : "")
    try await fill(place, template)
    made[template] = place
    return place
  }

  private func fill(_ place: CrashPlace, _ template: SweptCommand.Template) async throws {
    if template == .old { return try OldDatabase.make(at: place.database, version: 3) }
    try await place.createCampaigns()
    _ = try await place.claims("first", crash: template.isOfTheKilled)
    if template == .pending { return try await Leases.runOut(in: place.database) }
    if template == .lost { return try place.directory.remove("first-come.db-wal") }
    try await place.run(.issueService, ["consume", "--once"])
    if template == .dead {
      try await place.server.run({ _ in .answer(404, "no such offer") }) {
        for _ in 1...3 { try await place.run(.retryBatch, ["--once", "--lease", "1s"]) }
      }
      return
    }
    // Nothing of an issuer is open: a run of the batch alone can end with 0.
    try await place.server.run {
      for _ in 1...4 {
        try await place.run(.issueService, ["consume", "--once"])
        try await place.run(.retryBatch, ["--once", "--lease", "1s"])
      }
    }
    switch template {
    case .paused: try await place.run(.issueService, ["campaign", "pause", "summer"])
    case .due: try await place.run(.issueService, ["campaign", "import-codes", "pool", try place.codes(201...203)])
    case .settled:
      // A closed campaign that was found CLEAN after that: what prune takes the attempts of.
      try await place.run(.issueService, ["campaign", "import-codes", "old", try place.codes(101...103)])
      try await place.run(.retryBatch, ["--once", "--lease", "1s"])
      try await place.run(.issueService, ["campaign", "close", "old"])
      try await place.run(.reconcile, ["report"])
    case .damaged:
      let trigger = try await place.sql("SELECT sql FROM sqlite_master WHERE name = 'outbox_delete'")
      _ = try await place.sql(
        "DROP TRIGGER outbox_delete; DELETE FROM outbox WHERE campaign_id = 'summer' AND seat = 2; \(trigger);")
      try await place.run(.reconcile, ["report"])
      try await place.run(.reconcile, ["plan", "--output", place.directory.path("plan.json")])
    default: break
    }
  }
}

extension SweptCommand.Template {
  /// Of a service that was killed with acceptances in its log.
  fileprivate var isOfTheKilled: Bool { self == .pending || self == .lost }
}
