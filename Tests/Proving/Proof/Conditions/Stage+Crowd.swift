internal import Foundation
internal import History
internal import TestSupport

/// Scenes with more of everything than there is room for.
extension Stage {
  /// A service that may open few files, and more connections than that.
  func flood() async throws {
    let (database, recorder) = (place.database, place.recorder)
    let ended = try await RunningService.run(
      database: database, under: ["/bin/sh", "-c", #"ulimit -n \#(Condition.enoughDescriptors) && exec "$0" "$@""#],
      environment: place.environment
    ) { running in
      let service = Fleet.Service(address: running.claims, process: "narrow")
      let listeners = [running.claims, running.claims, running.operations].compactMap { URL(string: $0) }
      do {
        let before = try await connect(to: listeners)
        async let asked: [Void] = atOnce(1...20) { client in
          for number in 1...5 { try await recorder.claim("narrow-\(client)-\(number)", from: "summer", at: service) }
        }
        let meanwhile = try await connect(to: listeners)
        _ = try await asked
        tally.count("connections beside claims", before.count + meanwhile.count)
      }
      // They are gone: everybody is served.
      _ = try await atOnce(1...20) { client in
        let answer = try await recorder.claim("wide-\(client)", from: "summer", at: service)
        if case .accepted = answer { return }
        broke("with room again user wide-\(client) got \(answer)")
      }
    }
    recorder.died("narrow")
    expect(ended.status == 0, "the service ended \(ended.status): \(ended.errors.prefix(600))")
    try await judge("\(ended.status)")
  }

  /// Twice as many connections as there are descriptors, which say nothing.
  private func connect(to listeners: [URL]) async throws -> [RawConnection] {
    try await onOwnThread {
      try (0..<2 * Condition.enoughDescriptors).map { try RawConnection(to: listeners[$0 % listeners.count]) }
    }
  }

  /// Two services, claims, and all commands one after the other by three operators at once.
  func crowd() async throws {
    let (database, recorder) = (place.database, place.recorder)
    let fleet = Fleet(database: database, size: 2, died: recorder.died)
    let operators = (1...3).map { Commands(database: database, random: SplitMix(state: UInt64(trial * 7 + $0))) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<2 { group.addTask { try await fleet.supervise(index) } }
      for each in operators { group.addTask { try await each.keepRunning() } }
      _ = try await atOnce(1...16) { client in
        for number in 1...50 {
          let service = await fleet.service(number % 2)
          try await recorder.claim("crowd-\(client)-\(number)", from: number % 5 == 0 ? "pool" : "summer", at: service)
        }
      }
      for each in operators { await each.stop() }
      await fleet.stopAll()
      try await group.waitForAll()
    }
    for each in operators {
      for what in await each.unexpected { broke(what) }
      for end in await each.ends { tally.count("\(end.command) in the crowd, ended \(end.status)") }
    }
    for status in await fleet.ends { expect(status == 0, "a service ended \(status)") }
    try await judge("quota and report hold")
  }
}
