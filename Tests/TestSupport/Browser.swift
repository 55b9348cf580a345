package import Foundation
internal import Subprocess

/// A headless Chromium, driven over the WebDriver protocol (W3C) as long as a test's closure runs.
///
/// Each call is answered by `chromedriver`; what a page does in between is seen by ``wait(for:)``, which the page's own
/// changes wake.
package struct Browser: Sendable {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  /// The base of the session's commands: `http://127.0.0.1:PORT/session/ID`.
  private let session: String

  /// Starts a browser with a profile of its own, and ends it after `body`.
  package static func run<Value: Sendable>(
    _ body: @escaping @Sendable (Browser) async throws -> Value
  ) async throws -> Value {
    // The driver listens on 127.0.0.1 and on ::1: a port that the kernel chose for one may be taken on the other.
    let port = try FreePort.find()
    return try await Subprocess.run(
      Program.system("/usr/bin/chromedriver").executable, arguments: ["--port=\(port)"], input: .none,
      output: .sequence, error: .string(limit: 1 << 20)
    ) { execution in
      defer { try? execution.send(signal: .terminate) }
      var lines = execution.standardOutput.strings().makeAsyncIterator()
      var said: [String] = []
      while said.last?.contains("started successfully") != true {
        guard let line = try await lines.next() else {
          throw Failure(description: "chromedriver did not start: \(said.joined(separator: "; "))")
        }
        said.append(line)
      }
      let browser = try await Browser(driver: "http://127.0.0.1:\(port)")
      do {
        let value = try await body(browser)
        try await browser.end()
        return value
      } catch {
        try? await browser.end()
        throw error
      }
    }.closureResult
  }

  private init(driver: String) async throws {
    let arguments = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-prefers-reduced-motion",
    ]
    let options: [String: Any] = [
      "goog:chromeOptions": ["args": arguments], "goog:loggingPrefs": ["browser": "ALL"],
      "timeouts": ["script": 180_000, "pageLoad": 180_000],
    ]
    let answer = try await Self.command(
      "POST", "\(driver)/session", ["capabilities": ["alwaysMatch": options]] as [String: Any])
    guard let id = answer["sessionId"]?.string else { throw Failure(description: "no session: \(answer)") }
    session = "\(driver)/session/\(id)"
  }

  private func end() async throws { _ = try await Self.command("DELETE", session, nil) }

  /// Loads a page, and waits until it is loaded.
  package func open(_ url: String) async throws { _ = try await send("url", ["url": url]) }

  /// The value of an expression in the page.
  package func value(of expression: String) async throws -> JSONValue {
    try await send("execute/sync", ["script": "return (\(expression));", "args": []])
  }

  /// The text that the page shows of the first element that `selector` selects.
  package func text(_ selector: String) async throws -> String {
    try await value(of: "document.querySelector('\(selector)').innerText").string ?? ""
  }

  /// Waits until an expression holds in the page; asks again whenever the page's document has changed.
  ///
  /// - Throws: ``Failure`` where it does not for three minutes.
  package func wait(for condition: String) async throws {
    let script = """
      const done = arguments[0], holds = () => { try { return Boolean(\(condition)); } catch { return false; } };
      if (holds()) { done(true); return; }
      const watch = new MutationObserver(() => { if (holds()) { watch.disconnect(); done(true); } });
      watch.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
      """
    do {
      _ = try await send("execute/async", ["script": script, "args": []])
    } catch let failure as Failure {
      let shown = try? await value(of: "document.body.innerText")
      throw Failure(description: "waiting for \(condition): \(failure); the page shows: \(shown?.string ?? "?")")
    }
  }

  /// Waits until what the page shows is as expected, for pages that run no script: asks again and again.
  ///
  /// - Throws: ``Failure`` where it is not for a minute.
  package func wait(untilText isExpected: (String) -> Bool) async throws {
    let clock = ContinuousClock()
    let end = clock.now.advanced(by: .seconds(60))
    var text = ""
    repeat {
      // Between two documents there is none.
      text = (try? await value(of: "document.body.innerText"))?.string ?? text
      if isExpected(text) { return }
    } while clock.now < end
    throw Failure(description: "the page shows: \(text)")
  }

  /// Clicks an element as a person does, and waits until the page that it leads to is loaded.
  package func click(_ selector: String) async throws {
    let element = try await send("element", ["using": "css selector", "value": selector])
    guard case .object(let reference) = element, let id = reference.values.first?.string else {
      throw Failure(description: "nothing is \(selector)")
    }
    _ = try await send("element/\(id)/click", [:])
  }

  /// Sets the size of what is seen, and whether it is a phone's.
  package func resize(width: Int, height: Int, scale: Int = 1, isPhone: Bool = false) async throws {
    try await devTools(
      "Emulation.setDeviceMetricsOverride",
      ["width": width, "height": height, "deviceScaleFactor": scale, "mobile": isPhone])
  }

  package func setDark(_ isDark: Bool) async throws {
    try await devTools(
      "Emulation.setEmulatedMedia",
      ["features": [["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]]])
  }

  /// Holds for pages that are loaded from now on.
  package func setScriptsRun(_ run: Bool) async throws {
    try await devTools("Emulation.setScriptExecutionDisabled", ["value": !run])
  }

  /// A command of the DevTools protocol.
  private func devTools(_ command: String, _ parameters: [String: Any]) async throws {
    _ = try await send("goog/cdp/execute", ["cmd": command, "params": parameters])
  }

  /// What is seen, as PNG.
  package func screenshot() async throws -> Data {
    let answer = try await Self.command("GET", "\(session)/screenshot", nil)
    guard let data = answer.string.flatMap({ Data(base64Encoded: $0) }) else {
      throw Failure(description: "no screenshot: \(answer)")
    }
    return data
  }

  /// What the console has been told since the last call: `LEVEL: text`.
  package func console() async throws -> [String] {
    try await send("se/log", ["type": "browser"]).array.map {
      "\($0["level"]?.string ?? "?"): \($0["message"]?.string ?? "?")"
    }
  }

  private func send(_ command: String, _ body: [String: Any]) async throws -> JSONValue {
    try await Self.command("POST", "\(session)/\(command)", body)
  }

  private static func command(_ method: String, _ url: String, _ body: [String: Any]?) async throws -> JSONValue {
    let content = try body.map { try JSONSerialization.data(withJSONObject: $0) }
    let answer = try await HTTP.send(
      method, url, headers: [("Content-Type", "application/json")], body: content, timeout: .seconds(240))
    let value = try answer.json()["value"] ?? .null
    guard answer.status == 200 else {
      throw Failure(description: "\(value["error"]?.string ?? "?"): \(value["message"]?.string ?? "?")")
    }
    return value
  }
}
