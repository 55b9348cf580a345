/// The contract as the listener serves it: `docs/openapi.yaml` and `docs/problems.md`, embedded in the program, so that
/// what it publishes is what it was built with.
package enum PublishedContract {
  /// The body of `GET /openapi.yaml`, `application/yaml` in UTF-8.
  package static let openAPI: [UInt8] = PackageResources.openapi_yaml

  /// The body of `GET /problems`, `text/markdown` in UTF-8: every section.
  package static let problemPages = String(decoding: PackageResources.problems_md, as: UTF8.self)

  /// The words that have a section, in the order of the page.
  package static let problemWords: [String] = sections.map(\.word)

  /// The body of `GET /problems/{type}`: the section whose heading is the word.
  ///
  /// - Returns: `nil` where there is no problem type of this name.
  package static func problemPage(_ word: String) -> String? { pages[word] }

  private static let pages = Dictionary(
    sections.map { ($0.word, $0.text) }, uniquingKeysWith: { first, _ in first })

  /// What stands between one heading of the second level and the next.
  private static let sections: [(word: String, text: String)] = {
    let heading = "## "
    var sections: [(word: String, text: String)] = []
    for line in problemPages.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix(heading) {
        sections.append((String(line.dropFirst(heading.count)), "\(line)\n"))
      } else if let last = sections.indices.last {
        sections[last].text += "\(line)\n"
      }
    }
    return sections.map { ($0.word, String($0.text.trimmingSuffix { $0 == "\n" }) + "\n") }
  }()
}

extension StringProtocol {
  fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> SubSequence {
    guard let last = lastIndex(where: { !isTrimmed($0) }) else { return self[startIndex..<startIndex] }
    return self[...last]
  }
}
