internal import Foundation
internal import History
internal import TestSupport

/// One command under one condition, on a copy of its template.
struct ConditionedRun: Sendable {
  let command: SweptCommand
  let condition: Condition
  let trial: Int
  let tally: Tally

  func run() async throws {
    let directory = try ScratchDirectory()
    let template = try ScratchDirectory()
    try await SweepTemplates.shared.copy(command.template, to: template)
    // What the command does where nothing is wrong.
    let control = try await outcome(in: template.copy())
    switch condition {
    case .fullDisk, .readOnly:
      try await Mount.withMemory(bytes: 16 << 20, in: directory) { mount in
        try await attempt(on: template.copy(to: URL(fileURLWithPath: mount.path)), control, mount)
      }
    case .descriptors, .closedOutput, .fullOutput: try await attempt(on: template.copy(), control, nil)
    }
    tally.count("commands \(condition.kind)")
  }

  private struct Outcome: Sendable {
    let result: Program.Result
    let campaigns: [ReadCampaign]
  }

  private func outcome(in directory: ScratchDirectory) async throws -> Outcome {
    let result = try await Program(command.program).run(
      command.arguments(in: directory), environment: SweptCommand.environment(in: directory))
    guard command.succeeds.contains(result.status) else {
      throw HarnessFailure(description: "\(command.name) by itself ended \(result.status): \(result.errors)")
    }
    return Outcome(result: result, campaigns: try campaigns(in: directory))
  }

  private func campaigns(in directory: ScratchDirectory) throws -> [ReadCampaign] {
    let database = directory.path("first-come.db")
    guard command.template != .old, FileManager.default.fileExists(atPath: database) else { return [] }
    return try DatabaseReading.campaigns(of: database)
  }

  private func attempt(on directory: ScratchDirectory, _ control: Outcome, _ mount: Mount?) async throws {
    let environment = SweptCommand.environment(in: directory)
    let arguments = try command.arguments(in: directory)
    let before = try campaigns(in: directory)
    try await begin(mount)
    let result = try await Program.system("/bin/sh").run(
      ["-c", condition.script, Program(command.program).path] + arguments, environment: environment)
    try await end(mount)
    var broken = judgeEnd(result, control.result)
    broken += try judge(
      try campaigns(in: directory), before: before, control, isDone: result.status == control.result.status)
    // What it had in hand when it could do no more.
    if command.template != .none, command.template != .old {
      try await Leases.runOut(in: directory.path("first-come.db"))
    }
    let again = try await Program(command.program).run(arguments, environment: environment)
    if !command.succeeds.union(command.doneBefore).contains(again.status) {
      broken.append("the same again ended \(again.status): \(again.output.prefix(200)) \(again.errors.prefix(300))")
    }
    let report = try await Program.reconcile.run(["report"], environment: environment)
    if report.status != command.reportEnds {
      broken.append("the report afterwards ended \(report.status): \(report.output.prefix(600))")
    }
    tally.count(command.succeeds.contains(result.status) ? "done all the same" : "refused")
    tally.row(command.name, condition.name, "\(result.status)")
    for what in broken.prefix(3) { tally.broke("\(command.name) with \(condition.name): \(what)", in: trial) }
  }

  private func begin(_ mount: Mount?) async throws {
    guard let mount else { return }
    switch condition {
    case .fullDisk(let free): try mount.fill(but: free)
    case .readOnly: try await Mount.asRoot("/usr/bin/mount", "-o", "remount,ro", mount.path)
    default: break
    }
  }

  private func end(_ mount: Mount?) async throws {
    guard let mount else { return }
    switch condition {
    case .readOnly: try await Mount.asRoot("/usr/bin/mount", "-o", "remount,rw", mount.path)
    default: try mount.empty()
    }
  }

  /// The exit code is one that the manual knows for this, and an error says what to do next.
  private func judgeEnd(_ result: Program.Result, _ control: Program.Result) -> [String] {
    let said = (result.output + result.errors).prefix(300)
    if command.succeeds.contains(result.status) {
      switch condition {
      case .closedOutput where !control.output.isEmpty, .fullOutput where !control.output.isEmpty:
        return ["it ended \(result.status), and what it prints has gone nowhere"]
      default: return []
      }
    }
    let documented: Set<Int32> = command.program == "reconcile" ? [2, 3, 69, 74, 75, 78] : [69, 74, 75, 78]
    if !documented.contains(result.status) { return ["it ended \(result.status): \(said)"] }
    if !said.contains("next:"), !said.contains("what to do") {
      return ["it ended \(result.status) and does not say what to do next: \(said)"]
    }
    return []
  }

  /// Each seat and each campaign is as it was or as the command makes it; all as it makes them where it says so.
  private func judge(
    _ after: [ReadCampaign], before: [ReadCampaign], _ control: Outcome, isDone: Bool
  ) throws -> [String] {
    if isDone {
      return after == control.campaigns ? [] : ["it ended as where it does all, and has not done all"]
    }
    var found: [String] = []
    for campaign in before where !after.contains(where: { $0.id == campaign.id }) {
      found.append("campaign \(campaign.id) is gone")
    }
    for campaign in after {
      let known = (before + control.campaigns).filter { $0.id == campaign.id }
      if !known.contains(where: { $0.quota == campaign.quota && $0.counter == campaign.counter }) {
        found.append("campaign \(campaign.id) has a quota or a counter that nobody gave it")
      }
      for seat in campaign.seats where !known.contains(where: { $0.seats.contains(seat) }) {
        found.append("seat \(seat.seat) of \(campaign.id) is \(seat.standing), with code \(seat.code ?? "none")")
      }
    }
    return found
  }
}

extension ScratchDirectory {
  /// The same files in another directory.
  fileprivate func copy(to parent: URL = FileManager.default.temporaryDirectory) throws -> ScratchDirectory {
    let copy = try ScratchDirectory(in: parent)
    for name in try names() { try FileManager.default.copyItem(atPath: path(name), toPath: copy.path(name)) }
    return copy
  }
}

extension Mount {
  /// Leaves so many bytes free.
  func fill(but free: Int) throws {
    let attributes = try FileManager.default.attributesOfFileSystem(forPath: path)
    let left = attributes[.systemFreeSize] as? Int ?? 0
    try Data(repeating: 1, count: max(0, left - free)).write(to: URL(fileURLWithPath: path("ballast")))
  }

  func empty() throws { try FileManager.default.removeItem(atPath: path("ballast")) }
}
