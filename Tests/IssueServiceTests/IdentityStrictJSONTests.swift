import Foundation
import ServiceKit
import Testing

@testable import IssueService

@Suite("JSON is read to the letter")
struct IdentityStrictJSONTests {
  @Test(arguments: [
    "null", "true", " false\r\n", "0", "-0", "1.5e-3", "12E+4", #""""#, #""a\/b\\\"\b\f\n\r\t""#, "[]", "[ ]",
    "[1,[2]]", "{}",
    #"{ "a" : { "a" : [ { } ] } , "b" : null }"#, #""\ud83d\ude00""#, #""\u0000""#, #""가""#, "\"\u{7F}\"",
  ])
  func whatTheStandardAllowsIsRead(text: String) throws {
    let value = try #require(StrictJSON(Array(text.utf8)))
    let other = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    switch (value, other) {
    case (.string(let bytes), let text as String): #expect(bytes == Array(text.utf8))
    case (.array(let values), let others as [Any]): #expect(values.count == others.count)
    case (.object(let members), let others as [String: Any]):
      #expect(Set(members.keys) == Set(others.keys.map { Array($0.utf8) }))
    case (.number(let text), let number as NSNumber): #expect(Double(text) == number.doubleValue)
    case (.boolean, _), (.null, _): break
    default: Issue.record("\(value) is not \(other)")
    }
  }

  @Test(arguments: [
    "", " ", "nul", "nulls", "True", "NaN", "-Infinity", "01", "-", "1.", ".1", "1e", "1e+", "+1", "0x1", "1 2", "[1,]",
    "[,1]",
    "[1", "[1 2]", "]", "{", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{"a":1 "b":2}"#, "{a:1}", "{1:1}",
    #"{"a":1}}"#,
    #"""#, #""a"#, #""\"#, #""\x""#, #""\u12""#, #""\u00g0""#, #""\ud83d""#, #""\ude00""#, #""\ud83dx""#,
    #""\ud83d\u0041""#,
    "\"\n\"", "\"\t\"", "\"\u{0}\"", "'a'", "/**/1", "1//", "\u{FEFF}1", "\u{A0}1", #"{"a":1,"a":1}"#,
    #"{"a":1,"\u0061":1}"#, #"{"":1,"":2}"#, #"[{"b":{"a":1,"a":1}}]"#,
  ])
  func whatItDoesNotIsRefused(text: String) {
    #expect(StrictJSON(Array(text.utf8)) == nil)
  }

  @Test func textMustBeUTF8() {
    for bytes: [UInt8] in [[0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0x80]] {
      #expect(StrictJSON([0x22] + bytes + [0x22]) == nil)
    }
  }

  @Test func depthHasALimit() {
    func nested(_ depth: Int) -> StrictJSON? {
      StrictJSON(Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8))
    }
    #expect(nested(StrictJSON.maximumDepth) != nil)
    #expect(nested(StrictJSON.maximumDepth + 1) == nil)
    #expect(nested(1_000_000) == nil)
  }

  /// Two spellings of one letter are two names, as they are to every other reader.
  @Test func namesAreBytes() throws {
    let value = try #require(StrictJSON(Array(#"{"\u00e9":1,"e\u0301":2,"K":3,"\u212a":4}"#.utf8)))
    #expect(value.members?.count == 4)
    #expect(value["K"] == .number("3"))
    #expect(value["k"] == nil)
  }

  @Test func base64URLHasOneFormForEachSequence() {
    for length in 0...40 {
      let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 251) }
      let text = Array(TokenMaker.encoded(bytes).utf8)
      #expect(Base64URL.decoded(text[...]) == bytes)
      // Of the 64 last characters, those are refused that differ in bits beyond the last byte only.
      guard let last = text.last, length % 3 != 0 else { continue }
      let same = (UInt8(0)...255).filter { Base64URL.decoded(text.dropLast() + [$0]) == bytes }
      #expect(same == [last])
    }
    for text in ["A", "AAAAA", "AA=", "AA==", "A+", "A/", "A A", "AA\n", "AÄ", "AB", "AAB", "A."] {
      #expect(Base64URL.decoded(Array(text.utf8)[...]) == nil, "\(text)")
    }
  }
}
