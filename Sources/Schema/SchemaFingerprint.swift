internal import Crypto

/// One short text for all tables, indexes and triggers of a file, so that a program sees at its start, in a millisecond,
/// whether the database still refuses what it has to refuse.
package enum SchemaFingerprint {
  /// Of the newest version, as its migrations make it.
  package static let sqlite = "a4931fa31560e8d01679b8b16291bf2dec59516360b3894e877ecd488b2e5f2e"

  /// The SHA-256, in lower-case hexadecimal, of the objects in the order of their names.
  ///
  /// - Parameter objects: the SQL of each by kind and name, such as `trigger coupon_delete`.
  package static func of(_ objects: [String: String]) -> String {
    var hash = SHA256()
    for (name, sql) in objects.sorted(by: { $0.key < $1.key }) { hash.update(data: Array("\(name)\n\(sql)\n".utf8)) }
    return Hexadecimal.text(hash.finalize())
  }
}
