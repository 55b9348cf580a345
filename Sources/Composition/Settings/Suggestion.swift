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

  /// How many letters must be put in, taken out or changed, or swapped with the next (the optimal string alignment
  /// distance: Levenshtein's, with the swap that fingers make most).
  private static func distance(_ one: [Character], _ other: [Character]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...other.count)
    for (row, letter) in one.enumerated() {
      var current = [row + 1]
      for (column, otherLetter) in other.enumerated() {
        let changed = previous[column] + (letter == otherLetter ? 0 : 1)
        var best = min(changed, previous[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, letter == other[column - 1], one[row - 1] == otherLetter {
          best = min(best, beforePrevious[column - 1] + 1)
        }
        current.append(best)
      }
      beforePrevious = previous
      previous = current
    }
    return previous[other.count]
  }
}
