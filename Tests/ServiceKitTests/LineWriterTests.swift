import ArgumentParser
import Composition
import Foundation
import Glibc
import Logging
import ServiceKit
import TestSupport
import Testing

@Suite("Log lines come whole, and nobody waits for who reads them")
struct LineWriterTests {
  @Test func formatFollowsTheStream() throws {
    for (stream, isText) in [(try Stream.terminal(), true), (try .pipe(), false), (try .messages(), false)] {
      let writer = LineWriter(stream.writer)
      LogOutput(LogSettings(), to: writer, environment: [:]).makeLogger(label: "test").info("hello")
      let line = stream.all()
      #expect(line.hasPrefix("{") != isText, "\(line)")
      #expect(line.contains("hello"))
      LogOutput(LogSettings(format: .json), to: writer, environment: [:]).makeLogger(label: "test").info("hello")
      #expect(stream.all().hasPrefix("{"))
      LogOutput(LogSettings(format: .text), to: writer, environment: [:]).makeLogger(label: "test").info("hello")
      #expect(stream.all().hasPrefix("2"))
    }
  }

  /// The journal takes the number off and keeps it as the priority of the line.
  @Test func theJournalIsToldThePriority() throws {
    let stream = try Stream.pipe()
    var status = stat()
    try #require(unsafe fstat(stream.writer, &status) == 0)
    let writer = LineWriter(stream.writer)
    for (name, isJournal) in [
      ("\(status.st_dev):\(status.st_ino)", true), ("\(status.st_dev):\(status.st_ino + 1)", false), ("", false),
    ] {
      for format in [LogFormat.text, .json] {
        let logger = LogOutput(
          LogSettings(level: .trace, format: format), to: writer, environment: ["JOURNAL_STREAM": name]
        ).makeLogger(label: "test")
        for level in Logger.Level.allCases { logger.log(level: level, "said") }
        let starts = stream.lines().map { $0.prefix(3) }
        if isJournal {
          #expect(starts == ["<7>", "<7>", "<6>", "<5>", "<4>", "<3>", "<2>"])
        } else {
          #expect(starts.count == 7 && !starts.contains { $0.hasPrefix("<") })
        }
      }
    }
  }

  /// Each message of such a socket is one write(2).
  @Test func aLineIsOneWrite() throws {
    let stream = try Stream.messages()
    let logger = LogOutput(LogSettings(format: .json), to: LineWriter(stream.writer), environment: [:])
      .makeLogger(label: "test")
    for size in [0, 1, 1_000, 2_000, 100_000] {
      logger.info("\(String(repeating: "x", count: size))")
      let message = try #require(stream.next())
      #expect(message.hasPrefix("{") && message.hasSuffix("}\n"))
      #expect(stream.next() == nil)
    }
  }

  @Test func linesOfManyTasksStayWhole() async throws {
    let stream = try Stream.pipe()
    let output = LogOutput(LogSettings(format: .json), to: LineWriter(stream.writer), environment: [:])
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<16 {
        group.addTask {
          let logger = output.makeLogger(label: "task-\(task)")
          for number in 0..<50 {
            logger.info(
              "\(String(repeating: "\(task % 10)", count: 100 + task * 20))", metadata: ["number": "\(number)"])
          }
        }
      }
    }
    var last: [String: Int] = [:]
    for line in stream.lines() {
      let line = try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))
      let name = try #require(line["logger"]?.string)
      let task = try #require(Int(name.dropFirst(5)))
      #expect(line["message"]?.string == String(repeating: "\(task % 10)", count: 100 + task * 20))
      #expect(line["metadata"]?["number"]?.string == "\(last[name, default: -1] + 1)")
      last[name, default: -1] += 1
    }
    #expect(last.count == 16 && last.values.allSatisfy { $0 == 49 })
  }

  /// Whoever reads stops, and reads on later.
  @Test func aReaderThatStopsCostsLinesAndNoTime() throws {
    let stream = try Stream.pipe(capacity: 1 << 16)
    let logger = LogOutput(LogSettings(format: .json), to: LineWriter(stream.writer), environment: [:])
      .makeLogger(label: "test")
    // At 4 KB each far more than fit. Without a bound this never ends.
    let text = String(repeating: "x", count: 2_000)
    for number in 0..<500 { logger.info("\(text)", metadata: ["number": "\(number)"]) }
    let kept = stream.lines()
    #expect((10..<500).contains(kept.count))
    for number in 500..<503 { logger.info("\(text)", metadata: ["number": "\(number)"]) }
    let later = stream.lines()
    try #require(later.count == 4)
    let notice = try JSONDecoder().decode(JSONValue.self, from: Data(later[0].utf8))
    #expect(notice["level"]?.string == "warning")
    #expect(notice["metadata"]?["lines"]?.string == "\(500 - kept.count)")
    for line in kept + later { #expect(try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8)) != .null) }
  }

  /// What comes after half a line begins a new one.
  @Test func halfALineIsNotMistakenForAWholeOne() throws {
    let stream = try Stream.connection()
    let logger = LogOutput(LogSettings(format: .json), to: LineWriter(stream.writer), environment: [:])
      .makeLogger(label: "test")
    for _ in 0..<200 { logger.info("\(String(repeating: "x", count: 2_000))") }
    var text = ""
    repeat {
      while let more = stream.next() { text += more }
      logger.info("after")
    } while !text.contains("after")
    let lines = (text + stream.all()).split(separator: "\n").map(String.init)
    let cut = lines.filter { (try? JSONDecoder().decode(JSONValue.self, from: Data($0.utf8))) == nil }
    #expect(!cut.isEmpty)
    #expect(lines.allSatisfy { $0.ranges(of: "{\"time\"").count == 1 && $0.hasPrefix("{") })
    let after = try #require(lines.firstIndex { $0.contains("after") })
    #expect(lines[after - 1].contains("log lines were lost") && !cut.contains(lines[after]))
  }

  /// With SIGPIPE at its default, as a program starts.
  @Test func aReaderThatHasGoneDoesNotEndTheProcess() async throws {
    await #expect(processExitsWith: .exitCode(7)) {
      signal(SIGPIPE, SIG_DFL)
      for stream in [try Stream.pipe(), try .messages(), try .terminal()] {
        let writer = LineWriter(stream.writer)
        close(stream.reader)
        let logger = LogOutput(LogSettings(), to: writer, environment: [:]).makeLogger(label: "test")
        for _ in 0..<100 { logger.error("nobody reads this") }
      }
      exit(7)
    }
  }

  /// Started without standard output and error: a file that is opened must not get what is said there.
  @Test func aClosedStreamIsNoFile() async throws {
    await #expect(processExitsWith: .exitCode(7)) {
      close(STDOUT_FILENO)
      close(STDERR_FILENO)
      await runProgram(ClosedStreams.self, arguments: [])
    }
  }

  /// UNKNOWN-IS-NOT-OK: a result whose reader has gone is exit code 74, and not the end by a signal.
  @Test func aResultThatNobodyReadsIsAnError() async throws {
    await #expect(processExitsWith: .exitCode(74)) {
      signal(SIGPIPE, SIG_DFL)
      let stream = try Stream.pipe()
      dup2(stream.writer, STDOUT_FILENO)
      close(stream.reader)
      await runProgram(LostResult.self, arguments: [])
    }
  }

  @Test func errorsForPeopleKeepTheirLinesAndNothingElse() async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      printError("error: it is so\n  why:  \u{1B}[2Jno\u{202E}w\u{9B}")
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text == "error: it is so\n  why:  \\u001b[2Jno\\u202ew\\u009b\n")
  }
}

/// Ends with 7 if nothing that it prints gets into the file that it opens.
private struct ClosedStreams: AsyncParsableCommand {
  func run() async throws {
    let directory = try ScratchDirectory()
    let file = unsafe open(directory.path("witness"), O_WRONLY | O_CREAT, 0o600)
    LogOutput(LogSettings()).makeLogger(label: "test").error("nobody reads this")
    printError("nor this")
    let failure = #expect(throws: CLIError.self) { try printResult("nor this") }
    let isEmpty = try directory.contents("witness").isEmpty
    throw ExitCode(file > STDERR_FILENO && isEmpty && failure?.status == .inputOutput ? 7 : 1)
  }
}

private struct LostResult: AsyncParsableCommand {
  func run() throws { try printResult("delivered 3, parked 0, dead 0") }
}
