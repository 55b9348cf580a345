import Foundation
import TestSupport
import Testing

@testable import IssueService

@Suite("The published contract")
struct PublishedContractTests {
  private static let docs = ProjectRoot.url.appendingPathComponent("docs")

  private static let openAPI = String(decoding: PublishedContract.openAPI, as: UTF8.self)

  /// The items of the `enum` of the schema `ProblemWord`.
  private static func problemWords() throws -> [String] {
    let list = try #require(
      openAPI.firstMatch(of: #/\n    ProblemWord:\n(?:      .*\n)*?      enum:\n((?:        - .*\n)+)/#))
    return list.1.split(separator: "\n").map { String($0.drop { $0 == " " || $0 == "-" }) }
  }

  @Test func itIsTheDocumentsOfTheRepository() throws {
    #expect(try Data(contentsOf: Self.docs.appendingPathComponent("openapi.yaml")) == Data(PublishedContract.openAPI))
    let problems = try String(contentsOf: Self.docs.appendingPathComponent("problems.md"), encoding: .utf8)
    #expect(problems == PublishedContract.problemPages)
  }

  @Test func everyProblemTypeHasItsSectionAndEverySectionItsType() throws {
    let words = try Self.problemWords()
    #expect(words.count == 22)
    #expect(Set(words).count == words.count)
    #expect(Set(PublishedContract.problemWords).count == PublishedContract.problemWords.count)
    #expect(Set(PublishedContract.problemWords) == Set(words))
    #expect(Set(ProblemKind.allCases.map(\.rawValue)) == Set(words))
  }

  /// A type that an answer may have is one of the words, and each word is of some answer; `not-ready` is of the
  /// operations listener.
  @Test func theAnswersHaveTheseTypesAndNoOthers() throws {
    let used = Set(
      Self.openAPI.matches(of: #/type: \{ enum: \[([^\]]+)\]/#).flatMap { match in
        match.1.split(separator: ", ").map { String($0.dropFirst("/problems/".count)) }
      })
    #expect(used == Set(try Self.problemWords()).subtracting(["not-ready"]))
  }

  @Test func aSectionSaysTheStatusAndWhenToRetry() throws {
    for word in PublishedContract.problemWords {
      let page = try #require(PublishedContract.problemPage(word))
      #expect(page.hasPrefix("## \(word)\n\nStatus "), "\(word)")
      #expect(page.contains("Retry:"), "\(word)")
      #expect(page.count(where: { $0 == "#" }) == 2, "\(word) goes on into another section")
      #expect(page.hasSuffix(".\n") && !page.hasSuffix("\n\n"), "\(word)")
    }
  }

  /// The statuses of a section are those under which the contract has the type.
  @Test func sectionAndContractAgreeOnTheStatus() throws {
    var statuses: [String: Set<String>] = [:]
    let form = #/type: \{ enum: \[([^\]]+)\] \}\n +status: \{ const: (\d+) \}/#
    for match in Self.openAPI.matches(of: form) {
      for type in match.1.split(separator: ", ") {
        statuses[String(type.dropFirst("/problems/".count)), default: []].insert(String(match.2))
      }
    }
    for (word, expected) in statuses {
      let page = try #require(PublishedContract.problemPage(word))
      let sentence = try #require(page.firstMatch(of: #/Status ([^.]+)\./#))
      #expect(Set(sentence.1.split(separator: " or ").map(String.init)) == expected, "\(word)")
    }
  }

  @Test(arguments: ["", "sold", "Sold-Out", "Problems", "sold-out\n", "../openapi.yaml"])
  func anUnknownWordHasNoPage(word: String) {
    #expect(PublishedContract.problemPage(word) == nil)
  }
}
