internal import CrashPoints
internal import FileIO
internal import GRDB
internal import Glibc
internal import Issuance
internal import Schema

/// The file of the witness: two records, each whole by its checksum, written in turn, so that one of them is whole at
/// any instant.
///
/// Page `i` of slot `s` stands at `(2i + s) * 4096`: both slots grow without moving, and no write touches a page of the
/// other slot.
final class WitnessFile: Sendable {
  private static let pageSize = 4_096
  private static let slots = 2

  let path: String
  private let descriptor: Int32
  private let identity: FileIdentity

  /// Opens the file that stands at the path.
  ///
  /// - Returns: `nil` where none does.
  init?(path: String, forWriting: Bool) throws(StoreError) {
    let flags = (forWriting ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW
    descriptor = unsafe open(path, flags)
    self.path = path
    guard descriptor >= 0 else {
      identity = FileIdentity(device: 0, inode: 0)
      if errno == ENOENT { return nil }
      throw StoreError.system(errno, operation: "open the witness", subject: path)
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw StoreError.system(errno, operation: "open the witness", subject: path)
    }
    identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Makes a file (mode 0600) that holds one record. It is built under another name: a crash leaves it whole, or not
  /// there.
  ///
  /// - Throws: ``StoreError`` if the name is taken: that file stays as it is.
  static func create(_ record: WitnessRecord, at path: String) throws(StoreError) {
    do {
      let new = try AtomicFile(beside: path)
      guard let file = try WitnessFile(path: new.temporaryPath, forWriting: true) else {
        throw StoreError(.inputOutput, operation: "create the witness", subject: path, cause: "it is gone at once")
      }
      let bytes = record.encoded
      try file.reserve(bytes.count)
      try file.write(bytes, sequence: record.sequence)
      try new.publish(
        as: path, willRename: { crashPoint(.witnessBuilt) }, didRename: { crashPoint(.witnessRenamed) })
    } catch {
      throw StoreError(error, operation: "create the witness", subject: path)
    }
  }

  /// Gives the file that stands at the path another name beside it.
  ///
  /// - Returns: the new name; `nil` where no file stands there.
  static func setAside(_ path: String, now: Timestamp) throws(StoreError) -> String? {
    let aside = "\(path).set-aside-\(now.microseconds)"
    do {
      try AtomicFile.rename(path, to: aside)
      try AtomicFile.syncDirectory(of: path)
    } catch {
      if error.code == ENOENT { return nil }
      throw StoreError(error, operation: "set the witness aside")
    }
    return aside
  }

  /// Whether the file is still what others find at the path.
  var isInPlace: Bool {
    var found = stat()
    return unsafe lstat(path, &found) == 0
      && FileIdentity(device: UInt64(found.st_dev), inode: UInt64(found.st_ino)) == identity
  }

  /// The newest whole record; `nil` where there is none.
  func read() throws(StoreError) -> WitnessRecord? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw StoreError.system(errno, operation: "read the witness", subject: path)
    }
    let bytes = try read(first: Int(status.st_size))
    return (0..<Self.slots).compactMap { slot in WitnessRecord(Self.contents(of: slot, in: bytes)) }
      .max { $0.sequence < $1.sequence }
  }

  /// The first page of each slot: any new record changes one of them.
  func heads() throws(StoreError) -> [UInt8] { try read(first: Self.slots * Self.pageSize) }

  private func read(first count: Int) throws(StoreError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe pread(descriptor, buffer.baseAddress.map { unsafe $0 + done }, count - done, off_t(done))
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw StoreError.system(errno, operation: "read the witness", subject: path) }
      if got == 0 { break }  // a short file; what is not there is not whole
      done += got
    }
    return bytes
  }

  private static func contents(of slot: Int, in bytes: [UInt8]) -> [UInt8] {
    stride(from: slot * pageSize, to: bytes.count, by: slots * pageSize).flatMap { start in
      bytes[start..<min(start + pageSize, bytes.count)]
    }
  }

  /// Takes the space that a record of so many bytes needs, so that writing it does not fail for want of it.
  ///
  /// - Throws: ``StoreError`` with `diskFull`.
  func reserve(_ count: Int) throws(StoreError) {
    let pages = (count + Self.pageSize - 1) / Self.pageSize
    var status = stat()
    let size = off_t(Self.slots * pages * Self.pageSize)
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw StoreError.system(errno, operation: "reserve space for the witness", subject: path)
    }
    guard status.st_size < size else { return }
    let error = posix_fallocate(descriptor, 0, size)
    guard error == 0 else {
      throw StoreError.system(error, operation: "reserve space for the witness", subject: path)
    }
  }

  /// Writes a record over the older one, and returns when it is durable.
  func write(_ bytes: [UInt8], sequence: Int) throws(StoreError) {
    let slot = sequence % Self.slots
    crashPoint(.witnessBegun)
    for (index, start) in stride(from: 0, to: bytes.count, by: Self.pageSize).enumerated() {
      var page = Array(bytes[start..<min(start + Self.pageSize, bytes.count)])
      page.append(contentsOf: repeatElement(0, count: Self.pageSize - page.count))
      let offset = off_t((Self.slots * index + slot) * Self.pageSize)
      let written = unsafe page.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, offset) }
      guard written == Self.pageSize else {
        throw StoreError.system(written < 0 ? errno : EIO, operation: "write the witness", subject: path)
      }
    }
    crashPoint(.witnessWritten)
    guard fdatasync(descriptor) == 0 else {
      throw StoreError.system(errno, operation: "sync the witness", subject: path)
    }
    crashPoint(.witnessSynced)
  }
}

extension WitnessReading {
  /// How often a witness is read that is being written meanwhile.
  private static let attempts = 100

  init(_ db: Database, of database: StoreFile) throws {
    let facts = try WitnessFacts(db)
    let path = database.witnessPath(at: facts.place)
    guard let file = try WitnessFile(path: path, forWriting: false) else {
      self = facts.hasAcceptances || facts.epoch > 0 ? .unusable("the witness \(path) does not exist") : .record([])
      return
    }
    // Both records are unreadable at once only where a writer overtook the reader, or for good.
    var record: WitnessRecord?
    for _ in 0..<Self.attempts where record == nil { record = try file.read() }
    guard let record else {
      self = .unusable("neither of the two records of the witness \(path) is whole")
      return
    }
    _ = try file.require(record, of: database, id: facts.databaseID, at: facts.place)
    // If seats are missing too, the rules of the witness name them.
    if let fault = facts.logFault(against: record),
      try facts.compare(with: record.tips, in: db).allSatisfy({ $0.fault == nil })
    {
      self = .unusable("\(fault): \(path)")
      return
    }
    self = .record(
      record.tips.map { campaign, tip in
        WitnessedSeat(key: SeatKey(campaign: campaign, seat: tip.seat), chain: tip.chain)
      })
  }
}
