import Composition
import Foundation
import Glibc
import Logging
import ServiceKit
import TestSupport
import Testing

@Suite("Users are in the logs by a pseudonym only")
struct PseudonymTests {
  static let key = Data(0..<32)
  static let mina = "mina"

  /// The value is what any other HMAC-SHA256 gives: `openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f`.
  @Test func itIsTheKeyedHashOfTheUser() {
    #expect(Pseudonyms(key: Self.key).name(of: Self.mina) == "u_9be00a573ac46f57e017")
  }

  @Test func itIsTheSameForAUserAndAKeyAlone() {
    let pseudonyms = Pseudonyms(key: Self.key)
    let names = (0..<1_000).map { pseudonyms.name(of: "user-\($0)") }
    #expect(Set(names).count == 1_000)
    #expect(names == (0..<1_000).map { Pseudonyms(key: Self.key).name(of: "user-\($0)") })
    #expect(Pseudonyms(key: Data(1..<33)).name(of: Self.mina) != pseudonyms.name(of: Self.mina))
    let ofThisProcess = Pseudonyms()
    #expect(ofThisProcess.name(of: Self.mina) == ofThisProcess.name(of: Self.mina))
    #expect(Pseudonyms().name(of: Self.mina) != ofThisProcess.name(of: Self.mina))
  }

  @Test func theLineDoesNotHoldTheUser() throws {
    let stream = try Stream.pipe()
    let logger = LogOutput(LogSettings(), to: LineWriter(stream.writer), environment: [:]).makeLogger(label: "test")
    let pseudonyms = Pseudonyms(key: Self.key)
    logger.info("accepted", metadata: ["user": pseudonyms.of(Self.mina)])
    let line = stream.all()
    #expect(line.contains("\"user\":\"\(pseudonyms.name(of: Self.mina))\""))
    #expect(!line.contains("mina"))
  }

  private func write(_ key: Data, mode: mode_t = 0o600, in directory: ScratchDirectory) throws -> String {
    let path = directory.path("log-key")
    try key.write(to: URL(fileURLWithPath: path))
    try #require(unsafe chmod(path, mode) == 0)
    return path
  }

  private func name(file: String?, environment: [String: String] = [:]) throws -> String {
    try Pseudonyms(LogSettings(pseudonymKeyFile: file), environment: environment).name(of: Self.mina)
  }

  @Test func theFileWinsOverTheCredential() throws {
    let named = try ScratchDirectory()
    let credentials = try ScratchDirectory()
    let file = try write(Self.key, in: named)
    // The mode that an access list shows, by which systemd lets the unit's user read.
    _ = try write(Data(1..<41), mode: 0o440, in: credentials)
    let environment = ["CREDENTIALS_DIRECTORY": credentials.url.path]
    #expect(try name(file: file, environment: environment) == Pseudonyms(key: Self.key).name(of: Self.mina))
    #expect(try name(file: nil, environment: environment) == Pseudonyms(key: Data(1..<41)).name(of: Self.mina))
    let empty = ["CREDENTIALS_DIRECTORY": try ScratchDirectory().path("none")]
    #expect(try name(file: nil, environment: empty) != name(file: nil, environment: empty))
  }

  @Test func aKeyThatIsNoSecretIsRefused() throws {
    let directory = try ScratchDirectory()
    func expectRefusal(_ file: String, why: String, line: SourceLocation = #_sourceLocation) {
      let failure = #expect(throws: CLIError.self, sourceLocation: line) { try name(file: file) }
      #expect(failure?.status == .configuration && failure?.reason.contains(why) == true, sourceLocation: line)
    }
    for mode: mode_t in [0o644, 0o604, 0o620, 0o602] {
      expectRefusal(try write(Self.key, mode: mode, in: directory), why: "others on this machine can use it")
    }
    expectRefusal(try write(Data(0..<31), in: directory), why: "this file has 31")
    expectRefusal(try write(Data(), in: directory), why: "this file has 0")
    expectRefusal(try write(Data(count: 5_000), in: directory), why: "32 to 4096 bytes")
    expectRefusal(directory.url.path, why: "not a regular file")
    expectRefusal(directory.path("none"), why: "No such file")
    let pipe = directory.path("pipe")
    try #require(unsafe mkfifo(pipe, 0o600) == 0)
    expectRefusal(pipe, why: "not a regular file")
  }
}
