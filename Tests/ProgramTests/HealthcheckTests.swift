import TestSupport
import Testing

/// What the machine's own watchers ask, answered by a real service.
@Suite("Whether the service is ready is asked with healthcheck")
struct HealthcheckTests {
  private func healthcheck(
    _ service: RunningService, _ arguments: String..., environment: [String: String] = [:]
  ) async throws -> Program.Result {
    let address = String(service.operations.dropFirst("http://".count))
    return try await Program.issueService.run(
      ["healthcheck", "--ops-listen", address] + arguments, environment: environment)
  }

  @Test func aServiceThatRunsIsReadyUntilItIsTold() async throws {
    let directory = try ScratchDirectory()
    let database = directory.path("first-come.db")
    try await RunningService.run(database: database) { (service) async throws in
      let ready = try await healthcheck(service)
      #expect(ready.status == 0 && ready.output == "ready\n", "\(ready.errors)")
      let alive = try await healthcheck(service, "--live")
      #expect(alive.status == 0 && alive.output == "alive\n")
      // The same, by the environment that the service itself has.
      let address = String(service.operations.dropFirst("http://".count))
      let found = try await Program.issueService.run(
        ["healthcheck"], environment: ["FIRST_COME_OPS_LISTEN": address])
      #expect(found.status == 0)
      try service.suspend()
      let silent = try await healthcheck(service, "--timeout", "200ms")
      #expect(silent.status == 69 && silent.errors.contains("in time"), "\(silent.errors)")
      try service.resume()
    }
  }

  @Test func aLockThatSomebodyHoldsMakesItNotReady() async throws {
    let directory = try ScratchDirectory()
    let database = directory.path("first-come.db")
    let settings = ["FIRST_COME_LOCK_TIMEOUT": "200ms"]
    try await RunningService.run(database: database, environment: settings) { (service) async throws in
      let held = try #require(HeldLock(database + ".write-lock", waits: true))
      let refused = try await healthcheck(service)
      #expect(refused.status == 69 && refused.output.isEmpty)
      #expect(refused.errors.contains("is not ready") && refused.errors.contains("why:"), "\(refused.errors)")
      #expect(try await healthcheck(service, "--live").status == 0, "to end it would help nobody")
      held.giveBack()
      #expect(try await healthcheck(service).status == 0)
    }
  }

  @Test func aDiskThatIsNearlyFullIsSaid() async throws {
    let directory = try ScratchDirectory()
    let database = directory.path("first-come.db")
    let settings = ["FIRST_COME_READY_FREE_SPACE": "\(1 << 50)"]
    try await RunningService.run(database: database, environment: settings) { (service) async throws in
      let refused = try await healthcheck(service)
      #expect(refused.status == 69 && refused.errors.contains("nearly full"), "\(refused.errors)")
      let answer = try await HTTP.send("GET", "\(service.operations)/readyz")
      #expect(answer.status == 503)
      #expect(try answer.problem == "not-ready")
    }
  }

  @Test func aSocketInTheFileSystem() async throws {
    let directory = try ScratchDirectory()
    let socket = directory.path("ops.sock")
    let arguments = [
      "serve", "--database", directory.path("first-come.db"), "--listen", "127.0.0.1:0", "--ops-listen",
      "unix:\(socket)",
    ]
    try await RunningProgram.run("issue-service", arguments) { (program) async throws in
      #expect(try await program.nextLine()?.contains("operations on unix:") == true)
      let ready = try await Program.issueService.run(["healthcheck", "--ops-listen", "unix:\(socket)"])
      #expect(ready.status == 0, "\(ready.errors)")
    }
  }

  @Test(arguments: [
    (["--ops-listen", "127.0.0.1:1"], Int32(69), "config show"),
    (["--ops-listen", "127.0.0.1:0"], 64, "any free port"),
    (["--timeout", "soon"], 64, "--timeout"), (["--timeout", "0s"], 64, "--timeout"),
    (["--ops-listen", "unix:/nowhere/ops.sock"], 69, "cannot ask"), (["--ops-listen", "nonsense"], 64, "ops-listen"),
  ])
  func whatCannotBeAskedIsSaid(arguments: [String], status: Int32, text: String) async throws {
    let result = try await Program.issueService.run(["healthcheck"] + arguments)
    #expect(result.status == status && result.errors.contains(text), "\(result.errors)")
    #expect(result.output.isEmpty)
  }
}
