import FileIO
import Foundation
import Glibc
import TestSupport
import Testing

@testable import SQLiteStore

/// The writer of files that are renamed into place.
@Suite("A file gets its name when it is complete, and replaces no other file")
struct AtomicFileTests {
  private let directory: ScratchDirectory
  private var path: String { directory.path("result") }

  init() throws { directory = try ScratchDirectory() }

  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  @Test func theNameIsGivenAtTheEnd() throws {
    let file = try AtomicFile(beside: path)
    try file.write(Array("one ".utf8))
    try file.write(Array("two".utf8))
    #expect(try !directory.names().contains("result"))
    let size = try file.publish(as: path)
    #expect(size == 7)
    #expect(try directory.contents("result") == Data("one two".utf8))
    #expect(try directory.names() == ["result"])
    #expect(try mode(path) == 0o600)
  }

  @Test func anExistingFileIsReplacedOnlyOnRequest() throws {
    _ = try directory.write("old", to: "result")
    let file = try AtomicFile(beside: path)
    try file.write(Array("new".utf8))
    let failure = #expect(throws: AtomicFile.Failure.self) { try file.publish(as: path) }
    #expect(failure?.code == EEXIST && failure?.path == path)
    #expect(try directory.contents("result") == Data("old".utf8))
    try file.publish(as: path, replacesExisting: true)
    #expect(try directory.contents("result") == Data("new".utf8))
    #expect(try directory.names() == ["result"])
  }

  @Test func aFileThatIsNotPublishedIsRemoved() throws {
    do {
      let file = try AtomicFile(beside: path)
      _ = try Data("log".utf8).write(to: URL(fileURLWithPath: file.temporaryPath + "-wal"))
    }
    #expect(try directory.names() == [])
  }

  @Test func theLeftoversOfACrashAreRemovedAndOtherFilesStay() throws {
    let held = try AtomicFile(beside: path)
    let heldName = try #require(try directory.names().first)
    for name in [".first-come-0123456789abcdef.tmp", ".first-come-0123456789abcdef.tmp-wal"] {
      _ = try directory.write("x", to: name)
    }
    _ = try directory.write("x", to: ".first-come-fedcba9876543210.tmp-journal")  // its file is gone
    let others = [
      "result.new", ".first-come-0123456789abcdef.tmp.db", ".first-come-0123456789ABCDEF.tmp", ".first-come-012.tmp",
      "notes.tmp",
    ]
    for name in others { _ = try directory.write("x", to: name) }
    AtomicFile.removeLeftovers(in: directory.path("") + "/")
    #expect(try directory.names() == (others + [heldName]).sorted())
    held.discard()
    #expect(try directory.names() == others.sorted())
  }

  @Test func aLinkAtALeftoversNameIsNotFollowed() throws {
    _ = try directory.write("x", to: "target")
    try FileManager.default.createSymbolicLink(
      atPath: directory.path(".first-come-0123456789abcdef.tmp"), withDestinationPath: directory.path("target"))
    try AtomicFile(beside: path).publish(as: path)
    #expect(try directory.contents("target") == Data("x".utf8))
  }

  @Test func severalWritersInOneDirectory() async throws {
    let path = path
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 1...8 {
        group.addTask {
          for _ in 1...50 {
            let file = try AtomicFile(beside: path)
            try file.write([UInt8](repeating: UInt8(writer), count: 5_000))
            try file.publish(as: path, replacesExisting: true)
          }
        }
      }
      try await group.waitForAll()
    }
    let bytes = try directory.contents("result")
    #expect(bytes.count == 5_000 && Set(bytes).count == 1)
    #expect(try directory.names() == ["result"])
  }

  @Test func aMissingDirectoryIsNamed() {
    let failure = #expect(throws: AtomicFile.Failure.self) { try AtomicFile(beside: directory.path("none/result")) }
    #expect(failure?.code == ENOENT && failure?.path == directory.path("none/result"))
  }
}
