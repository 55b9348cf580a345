import Foundation
import FuzzTargets
import TestSupport
import Testing

/// What was once found, and what is well formed, is read without a trap; `scripts/fuzz` looks for more.
@Suite("The corpus of the fuzzer is read without a trap")
struct CorpusTests {
  static let corpus = ProjectRoot.url.appending(path: "Tests/Proving/Fuzz/corpus")

  @Test func everyFile() async throws {
    let targets = try await FuzzTarget.all()
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path).sorted()
    #expect(folders == targets.map(\.name).sorted())
    for target in targets {
      let folder = Self.corpus.appending(path: target.name)
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      #expect(files.count >= 5, "\(target.name) has \(files.count) files")
      for file in files { target.read([UInt8](try Data(contentsOf: folder.appending(path: file)))) }
      target.read([])
    }
  }
}
