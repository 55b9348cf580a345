internal import CrashPoints
internal import Foundation
package import Issuance

/// The lock of runs as a `flock` on a file beside the database: given back when the process ends, however it ends.
package final class FileRunLock: RunLock {
  private let lock: FileLock
  private let path: String

  /// - Parameter database: the path of the database file.
  package init(database: String) throws(StoreError) {
    path = StoreFile(path: database).runLockPath
    lock = try FileLock(path: path)
  }

  package func take(for holder: RunLockHolder) throws(StoreError) -> RunLockHolder? {
    do {
      try lock.take(.exclusive, within: .zero)
    } catch {
      guard error.code == .busy else { throw error }
      return Self.read(lock.note)
    }
    do {
      try lock.write(note: Self.text(of: holder))
    } catch {
      lock.giveBack()
      throw error
    }
    crashPoint(.runLockTaken)
    return nil
  }

  package func giveBack() { lock.giveBack() }

  package func holder() throws(StoreError) -> RunLockHolder? {
    do {
      try lock.take(.shared, within: .zero)
    } catch {
      guard error.code == .busy else { throw error }
      return Self.read(lock.note)
    }
    lock.giveBack()
    return nil
  }

  private static func text(of holder: RunLockHolder) -> String {
    (try? JSONEncoder().encode(holder)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private static func read(_ note: String) -> RunLockHolder {
    (try? JSONDecoder().decode(RunLockHolder.self, from: Data(note.utf8))) ?? .unknown
  }
}
