import Composition
import Foundation
import Glibc
import ServiceKit
import Testing

@Suite("The first signal asks, the second ends")
struct TerminationTests {
  @Test func theFirstSignalIsAsked() async throws {
    await #expect(processExitsWith: .exitCode(130)) {
      let termination = Termination(echo: .zero)
      let (signals, signal) = AsyncStream<Void>.makeStream()
      let result = try await termination.watch {
        signal.yield()
      } during: {
        kill(getpid(), SIGINT)
        for await _ in signals { break }
        return "in hand is finished"
      }
      exit(result == "in hand is finished" ? termination.programExit?.rawValue ?? 0 : 1)
    }
  }

  @Test func withoutASignalNothingIsAsked() async throws {
    await #expect(processExitsWith: .exitCode(7)) {
      let termination = Termination(echo: .zero)
      let result = try await termination.watch { 7 as Int32 }
      exit(termination.programExit == nil ? result : 1)
    }
  }

  /// As timeout(1) does it: the process and then its group.
  @Test func anEchoOfTheFirstSignalIsNoSecond() async throws {
    await #expect(processExitsWith: .exitCode(143)) {
      let termination = Termination(echo: .seconds(3_600), say: { _ in exit(1) })
      let (signals, signal) = AsyncStream<Void>.makeStream()
      let result = try await termination.watch {
        for _ in 0..<100 {
          kill(getpid(), SIGTERM)
          sched_yield()
        }
        signal.yield()
      } during: {
        kill(getpid(), SIGTERM)
        for await _ in signals { break }
        return "in hand is finished"
      }
      exit(result == "in hand is finished" ? termination.programExit?.rawValue ?? 0 : 1)
    }
  }

  /// The drain, begun by the first signal, never ends.
  @Test func theSecondSignalEndsAtOnce() async throws {
    let result = await #expect(processExitsWith: .exitCode(143), observing: [\.standardErrorContent]) {
      try await Termination(echo: .zero).watch {
        kill(getpid(), SIGTERM)
      } during: {
        kill(getpid(), SIGINT)
        for await _ in AsyncStream<Void>.makeStream().stream {}
      }
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text == "SIGTERM again: ending at once, without finishing what is in hand\n")
  }

  /// Every thread on which tasks run is blocked, and standard error takes nothing any more.
  @Test func theSecondSignalEndsAProcessThatHangs() async throws {
    await #expect(processExitsWith: .exitCode(143)) {
      let stream = try Stream.pipe(capacity: 4_096)
      dup2(stream.writer, STDERR_FILENO)
      let termination = Termination(echo: .zero)
      try await termination.watch {
        Thread.detachNewThread {
          printError(String(repeating: "x", count: 100_000), within: .zero)
          kill(getpid(), SIGTERM)
          while termination.programExit == nil { sched_yield() }
          while true {
            kill(getpid(), SIGTERM)
            sched_yield()
          }
        }
        await withTaskGroup(of: Void.self) { group in
          for _ in 0..<64 { group.addTask { while true { pause() } } }
        }
      }
    }
  }

  /// What comes after the work, such as closing a file, can hang as well.
  @Test func theSignalsStayHeardAfterTheWork() async throws {
    await #expect(processExitsWith: .exitCode(130)) {
      let termination = Termination(echo: .zero)
      let (signals, signal) = AsyncStream<Void>.makeStream()
      try await termination.watch {
        signal.yield()
      } during: {
        kill(getpid(), SIGTERM)
        for await _ in signals { break }
      }
      kill(getpid(), SIGINT)
      while true { pause() }
    }
  }
}
