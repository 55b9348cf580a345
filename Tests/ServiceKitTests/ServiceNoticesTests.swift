import Composition
import Foundation
import Glibc
import Logging
import ServiceKit
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization
import TestSupport
import Testing

@Suite("The service manager is told how the service is")
struct ServiceNoticesTests {
  @Test func noticesAreDatagramsAtAPathOrAnAbstractName() throws {
    let directory = try ScratchDirectory()
    for name in [directory.path("notify"), "@first-come-\(UUID().uuidString)"] {
      let manager = try ManagerSocket(name)
      let notices = ServiceNotices(environment: ["NOTIFY_SOCKET": name])
      #expect(notices.send(.ready, .status("answers claims")))
      #expect(manager.next() == "READY=1\nSTATUS=answers claims")
      #expect(notices.send(.stopping))
      #expect(manager.next() == "STOPPING=1")
      #expect(notices.send(.watchdog))
      #expect(manager.next() == "WATCHDOG=1")
      #expect(notices.send(.extendTimeout(.milliseconds(1_500))))
      #expect(manager.next() == "EXTEND_TIMEOUT_USEC=1500000")
      #expect(manager.next() == nil)
    }
  }

  /// A line end would begin another assignment.
  @Test func aStatusIsOneLine() throws {
    let name = "@first-come-\(UUID().uuidString)"
    let manager = try ManagerSocket(name)
    let notices = ServiceNotices(environment: ["NOTIFY_SOCKET": name])
    notices.send(.status("waits\r\nMAINPID=1\nfor\u{1B}[31m\u{2028}codes"))
    #expect(manager.next() == "STATUS=waits MAINPID=1 for\\u001b[31m\\u2028codes")
    notices.send(.status(String(repeating: "x", count: 100_000)))
    #expect(try #require(manager.next()).utf8.count <= 7 + 512)
  }

  @Test func nobodyIsToldWhereNobodyListens() throws {
    let directory = try ScratchDirectory()
    let stream = try Stream.pipe()
    let logger = LogOutput(LogSettings(), to: LineWriter(stream.writer), environment: [:]).makeLogger(label: "test")
    for name in [nil, "", "relative", "vsock:2:1234", "@"] {
      let notices = ServiceNotices(environment: name.map { ["NOTIFY_SOCKET": $0] } ?? [:], logger: logger)
      #expect(!notices.send(.ready))
    }
    #expect(stream.lines().isEmpty)
    // Somebody should listen, and does not: the log says so, and nothing else happens.
    for name in [directory.path("none"), "@first-come-none", "/" + String(repeating: "x", count: 200)] {
      #expect(!ServiceNotices(environment: ["NOTIFY_SOCKET": name], logger: logger).send(.ready))
      #expect(stream.lines().count == 1)
    }
  }

  /// Whoever listens has stopped to read: the service goes on.
  @Test func aFullQueueDoesNotHoldTheService() throws {
    let name = "@first-come-\(UUID().uuidString)"
    let manager = try ManagerSocket(name)
    let notices = ServiceNotices(environment: ["NOTIFY_SOCKET": name])
    var sent = 0
    while notices.send(.watchdog) { sent += 1 }
    #expect(sent > 0)
    #expect(manager.next() == "WATCHDOG=1")
    #expect(notices.send(.stopping))
  }

  @Test func theWatchdogIsForTheNamedProcess() {
    func timeout(_ environment: [String: String]) -> Duration? {
      ServiceNotices(environment: environment, processID: 42).watchdogTimeout
    }
    #expect(timeout(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "42"]) == .seconds(30))
    #expect(timeout(["WATCHDOG_USEC": "30000000"]) == .seconds(30))
    #expect(timeout(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "43"]) == nil)
    #expect(timeout(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "x"]) == nil)
    for bad in ["0", "-1", "", "soon"] { #expect(timeout(["WATCHDOG_USEC": bad]) == nil) }
    #expect(timeout([:]) == nil)
  }
}

@Suite("The watchdog is fed while the service lives")
struct WatchdogServiceTests {
  private struct Course: Sendable {
    let answers: [Bool]
    /// How many notices had come when it was asked the first, the second, … time.
    var noticesBefore: [Int] = []
    var notices = 0
  }

  /// Runs the service through `answers`.
  ///
  /// - Parameter delay: how long each takes, on the clock of the service.
  /// - Returns: how many notices had come before each question, and before the one after the last.
  private func run(answers: [Bool], delay: [Duration] = []) async throws -> [Int] {
    let name = "@first-come-\(UUID().uuidString)"
    let manager = try ManagerSocket(name)
    let notices = ServiceNotices(environment: ["NOTIFY_SOCKET": name, "WATCHDOG_USEC": "20000"])
    let course = Mutex(Course(answers: answers))
    let time = Mutex(ContinuousClock.now)
    try await testGracefulShutdown { trigger in
      let watchdog = WatchdogService(notices, now: { time.withLock { $0 } }) {
        course.withLock { course in
          while let notice = manager.next() {
            if notice == "WATCHDOG=1" { course.notices += 1 }
          }
          let question = course.noticesBefore.count
          course.noticesBefore.append(course.notices)
          if question == course.answers.count { trigger.triggerGracefulShutdown() }
          if question < delay.count { time.withLock { $0 += delay[question] } }
          return question < course.answers.count && course.answers[question]
        }
      }
      try await watchdog.run()
    }
    return Array(course.withLock { $0.noticesBefore }.prefix(answers.count + 1))
  }

  @Test func itIsFedOnlyAfterAYes() async throws {
    #expect(try await run(answers: [true, true, false, false, true]) == [0, 1, 2, 2, 2, 3])
  }

  /// The manager's time-out is 20 ms.
  @Test func aYesThatComesTooLateIsNone() async throws {
    let delay: [Duration] = [.milliseconds(19), .milliseconds(20), .seconds(5), .zero]
    #expect(try await run(answers: [true, true, true, true], delay: delay) == [0, 1, 1, 1, 2])
  }

  /// As one of a group: it does not end the group by ending first, nor keep it from ending.
  @Test(arguments: [[:], ["WATCHDOG_USEC": "20000"]])
  func itEndsWithItsGroup(environment: [String: String]) async throws {
    let (starts, start) = AsyncStream<Void>.makeStream()
    let watchdog = WatchdogService(ServiceNotices(environment: environment)) { true }
    let group = ServiceGroup(
      services: [watchdog, WaitingService(start: start)],
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      for await _ in starts { break }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  private struct WaitingService: Service {
    let start: AsyncStream<Void>.Continuation

    func run() async throws {
      start.yield()
      try await gracefulShutdown()
    }
  }
}
