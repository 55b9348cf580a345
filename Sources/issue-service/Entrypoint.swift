import Composition
import IssueService

@main
enum Entrypoint {
  static func main() async { await runProgram(IssueServiceCommand.self) }
}
