internal import Foundation
internal import TestSupport

/// Whether the programs of a release know nothing of crash points; those of a debug build are the control.
struct ReleaseCheck: Sendable {
  static let programs = ["issue-service", "reconcile", "retry-batch"]

  let tally: Tally

  func run() async throws {
    for name in Self.programs {
      guard try names("FIRST_COME_CRASH_AT", in: Program(name)) else {
        tally.broke("the debug build of \(name) does not have its crash points", in: 0)
        continue
      }
      let release = Program.released(name)
      if try names("FIRST_COME_CRASH_AT", in: release) {
        tally.broke("the release build of \(name) has crash points", in: 0)
      } else {
        tally.count("programs of a release without points")
      }
    }
    try await create("control", by: .issueService, ends: 128 + 9)
    try await create("summer", by: .released("issue-service"), ends: 0)
  }

  private func names(_ text: String, in program: Program) throws -> Bool {
    try Data(contentsOf: URL(fileURLWithPath: program.path), options: .alwaysMapped).range(of: Data(text.utf8)) != nil
  }

  private func create(_ campaign: String, by program: Program, ends status: Int32) async throws {
    let directory = try ScratchDirectory()
    let ended = try await program.run(
      ["campaign", "create", campaign, "--database", directory.path("first-come.db")],
      environment: ["FIRST_COME_CRASH_AT": "create.before-commit"])
    if ended.status == status { return }
    tally.broke("\(program.path) with a crash point ended \(ended.status), not \(status): \(ended.errors)", in: 0)
  }
}
