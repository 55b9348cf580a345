import Reconciler
import ServiceKit

@main
enum Entrypoint {
  static func main() async { await runProgram(ReconcileCommand.self) }
}
