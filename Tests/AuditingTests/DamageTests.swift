import Foundation
import GRDB
import Issuance
import SQLiteStore
import TestSupport
import Testing

@testable import Auditing

@Suite("A damaged file is never CLEAN")
struct DamageTests {
  /// Every page in turn overwritten, and every page with single bits turned: never CLEAN for the first, and never a
  /// trap or a verdict without its report for either.
  @Test func damageInTheFile() async throws {
    let file = try await AuditedFile()
    let path = file.store.file.path
    try await DatabaseQueue(path: path).writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
    let whole = try file.directory.contents("first-come.db")
    let damaged = file.directory.path("damaged.db")
    // The copy has the id of the file, and stands beside a witness of that id.
    try FileManager.default.copyItem(atPath: file.store.file.witnessPath, toPath: damaged + ".witness")
    func verdict(_ bytes: Data) async throws -> Verdict {
      for leftover in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: damaged + leftover) {
        try FileManager.default.removeItem(atPath: damaged + leftover)
      }
      try bytes.write(to: URL(fileURLWithPath: damaged))
      do {
        return try await SQLiteReconciliationSource(path: damaged, clock: TestClock().clock)
          .withSnapshot { Audit($0).judge().verdict }
      } catch {
        // A bit turned in the ledger of migrations may read as another ledger.
        #expect([.corrupt, .schemaAltered, .schemaNewer].contains(error.code), "\(error.code)")
        return .unknown
      }
    }
    #expect(try await verdict(whole) == .clean)
    var random = SplitMix(state: 20_261_122)
    let free = Self.freePages(of: whole)
    for page in 1..<whole.count / 4_096 where !free.contains(page + 1) {
      var overwritten = whole
      overwritten.replaceSubrange(page * 4_096..<(page + 1) * 4_096, with: Data(repeating: 0xA5, count: 4_096))
      #expect(try await verdict(overwritten) != .clean, "page \(page)")
      for _ in 1...4 {
        var flipped = whole
        let byte = page * 4_096 + Int.random(in: 0..<4_096, using: &random)
        flipped[byte] ^= 1 << UInt8.random(in: 0...7, using: &random)
        _ = try await verdict(flipped)
      }
    }
  }

  /// The numbers of the pages that hold nothing: the leaves of the freelist. SQLite never reads them.
  /// Source: https://www.sqlite.org/fileformat2.html#the_freelist
  private static func freePages(of file: Data) -> Set<Int> {
    func integer(_ offset: Int) -> Int { file[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
    var free: Set<Int> = []
    var trunk = integer(32)
    while trunk != 0 {
      let start = (trunk - 1) * 4_096
      for leaf in 0..<integer(start + 4) { free.insert(integer(start + 8 + 4 * leaf)) }
      trunk = integer(start)
    }
    return free
  }
}
