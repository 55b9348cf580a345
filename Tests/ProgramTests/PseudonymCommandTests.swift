import Foundation
import TestSupport
import Testing

@Suite("Who has the key finds the lines of a user")
struct PseudonymCommandTests {
  @Test func theCommandPrintsTheName() async throws {
    let directory = try ScratchDirectory()
    let file = try directory.write(String(repeating: "k", count: 32), to: "log-key")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
    let named = try await Program.issueService.run(["pseudonym", "mina", "--log-key-file", file])
    #expect(named.status == 0, "\(named.errors)")
    #expect(named.output.wholeMatch(of: #/u_[0-9a-f]{20}\n/#) != nil)
    let byEnvironment = try await Program.issueService.run(
      ["pseudonym", "mina"], environment: ["FIRST_COME_LOG_KEY_FILE": file])
    #expect(byEnvironment.output == named.output)
    let asCredential = try await Program.issueService.run(
      ["pseudonym", "mina"], environment: ["CREDENTIALS_DIRECTORY": directory.url.path])
    #expect(asCredential.output == named.output)
    let other = try await Program.issueService.run(["pseudonym", "Mina", "--log-key-file", file])
    #expect(other.status == 0 && other.output != named.output)
  }

  @Test func withoutAKeyItSaysWhichIsMissing() async throws {
    let directory = try ScratchDirectory()
    let none = try await Program.issueService.run(["pseudonym", "mina"])
    #expect(none.status == 64 && none.errors.contains("--log-key-file"), "\(none.errors)")
    let readable = try directory.write(String(repeating: "k", count: 32), to: "log-key")
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: readable)
    let refused = try await Program.issueService.run(["pseudonym", "mina", "--log-key-file", readable])
    #expect(refused.status == 78 && refused.errors.contains("chmod g-w,o-rwx"), "\(refused.errors)")
    #expect(try await Program.issueService.run(["pseudonym", "mi na", "--log-key-file", readable]).status == 64)
  }
}
