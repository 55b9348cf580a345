/// What somebody who mistyped a name may have meant.
package enum Suggestion {
  /// The name that is nearest, where one is near: at most a third of its letters differ. Hyphens, dots, underscores and
  /// capitals count for little.
  package static func nearest(to word: String, among names: [String]) -> String? {
    let letters = plain(word)
    guard letters.count <= 128 else { return nil }  // the distance costs the product of both lengths
    let nearest = names.map { (name: $0, distance: distance(letters, plain($0))) }.min { $0.distance < $1.distance }
    guard let nearest, nearest.distance <= max(1, plain(nearest.name).count / 3) else { return nil }
    return nearest.name
  }

  private static func plain(_ word: String) -> [Character] {
    word.lowercased().filter { $0.isLetter || $0.isNumber }.map { $0 }
  }

  /// How many letters must be put in, taken out or changed (the Levenshtein distance).
  private static func distance(_ one: [Character], _ other: [Character]) -> Int {
    var previous = Array(0...other.count)
    for (row, letter) in one.enumerated() {
      var current = [row + 1]
      for (column, otherLetter) in other.enumerated() {
        let changed = previous[column] + (letter == otherLetter ? 0 : 1)
        current.append(min(changed, previous[column + 1] + 1, current[column] + 1))
      }
      previous = current
    }
    return previous[other.count]
  }
}
