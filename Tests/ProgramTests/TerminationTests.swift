import Foundation
import TestSupport
import Testing

@Suite("A second signal ends a service that cannot drain")
struct TerminationTests {
  private func isRunning(_ processID: Int32) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8) else { return false }
    return !status.contains(") Z ")
  }

  @Test(arguments: [143, 130]) func theSecondSignalEndsAtOnce(status: Int32) async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 1, in: directory)
    let ended = try await RunningService.run(database: database) { service in
      func signal() throws { try status == 143 ? service.terminate() : service.interrupt() }
      #expect(try await HTTP.claim("mina", from: "summer", at: service.claims).status == 201)
      #expect(try await HTTP.claim("jun", from: "summer", at: service.claims).status == 409)
      // The service itself has it now and then.
      var free = HeldLock(database + ".write-lock")
      while free == nil {
        await Task.yield()
        free = HeldLock(database + ".write-lock")
      }
      let lock = try #require(free)
      // Sold out, a repeat is answered without the lock; its tally waits for it: there is something to drain.
      #expect(try await HTTP.claim("mina", from: "summer", at: service.claims).status == 200)
      try signal()
      // Until nobody is let in any more: it is stopping.
      let url = try #require(URL(string: service.claims))
      while (try? RawConnection(to: url)) != nil { await Task.yield() }
      // The first of these may come so soon that it is taken for an echo.
      while isRunning(service.processID) {
        try? signal()
        await Task.yield()
      }
      return lock  // held until the process has ended
    }
    #expect(ended.status == status)
    #expect(ended.errors.contains("\(status == 143 ? "SIGTERM" : "SIGINT") again: ending at once"), "\(ended.errors)")
    ended.value.giveBack()
    let report = try await Program.reconcile.run(["report", "--format", "json", "--database", database])
    #expect(report.status == 0, "\(report.output)")
  }
}

@Suite("The service manager is told how the service is")
struct ManagerTests {
  @Test func fromReadyToStopping() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(quota: 1, in: directory)
    let manager = try ManagerSocket(directory.path("notify"))
    let environment = ["NOTIFY_SOCKET": directory.path("notify"), "WATCHDOG_USEC": "2000000"]
    try await RunningService.run(database: database, environment: environment) { service in
      // It may have said before that it is alive.
      var ready = try #require(manager.next(within: .seconds(60)))
      while ready == "WATCHDOG=1" { ready = try #require(manager.next(within: .seconds(60))) }
      #expect(ready.hasPrefix("READY=1\nSTATUS=claims on \(service.claims)"), "\(ready)")
      #expect(manager.next(within: .seconds(60)) == "WATCHDOG=1")
      try service.terminate()
      var notices: [String] = []
      while notices.last?.hasPrefix("STOPPING=1") != true {
        notices.append(try #require(manager.next(within: .seconds(60))))
      }
      #expect(notices.dropLast().allSatisfy { $0 == "WATCHDOG=1" }, "\(notices)")
      #expect(notices.last?.contains("\nEXTEND_TIMEOUT_USEC=") == true, "\(notices)")
    }
  }
}
