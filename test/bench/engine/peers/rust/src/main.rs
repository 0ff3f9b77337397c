//! regorus and Cedar as peers of a benchmark: `engine-peers KIND FOLDER`, then one command a line on stdin.
//! `decide N` answers the first N decisions as ones and zeros; `run MS` decides for so long and answers decisions and CPU time.

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::RegoVM;
use regorus::{Engine, Rc, Value};
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

type Decide = Box<dyn FnMut(usize) -> bool>;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let folder = PathBuf::from(&arguments[2]);
    let (count, mut decide) = match arguments[1].as_str() {
        "regorus" => regorus_vm(&folder, false),
        "regorus-text" => regorus_vm(&folder, true),
        "cedar" => cedar(&folder, false),
        "cedar-json" => cedar(&folder, true),
        other => panic!("no such peer: {other}"),
    };
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let (command, number) = line.split_once(' ').expect("a command and a number");
        let number: u64 = number.parse().expect("a number");
        match command {
            "decide" => println!("{}", (0..number as usize).map(|i| if decide(i % count) { '1' } else { '0' }).collect::<String>()),
            "run" => println!("{}", run(count, &mut decide, Duration::from_millis(number))),
            other => panic!("no such command: {other}"),
        }
        std::io::stdout().flush().expect("somebody reads");
    }
}

fn run(count: usize, decide: &mut Decide, time: Duration) -> String {
    let (started, cpu) = (Instant::now(), cpu_micros());
    let mut decisions = 0usize;
    let mut allowed = 0usize;
    while started.elapsed() < time {
        for _ in 0..64 {
            allowed += decide(decisions % count) as usize;
            decisions += 1;
        }
    }
    let wall = started.elapsed().as_micros();
    format!("{{\"decisions\":{decisions},\"allowed\":{allowed},\"cpuMicros\":{},\"wallMicros\":{wall}}}", cpu_micros() - cpu)
}

fn cpu_micros() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel fills the struct that lives here.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

fn text(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn list(folder: &Path, name: &str) -> Vec<serde_json::Value> {
    serde_json::from_str(&text(folder, name)).expect("JSON")
}

fn regorus_vm(folder: &Path, from_text: bool) -> (usize, Decide) {
    let entrypoint = format!("data.{}", text(folder, "entrypoint").trim().replace('/', "."));
    let mut engine = Engine::new();
    engine.add_policy("policy.rego".to_string(), text(folder, "policy.rego")).expect("a policy");
    let compiled = engine.compile_with_entrypoint(&Rc::from(entrypoint.as_str())).expect("compiles");
    let program = Compiler::compile_from_policy(&compiled, &[entrypoint.as_str()]).expect("compiles");
    let mut vm = RegoVM::new();
    vm.load_program(program);
    vm.set_data(Value::from_json_str(&text(folder, "data.json")).expect("data")).expect("data");
    // The limit is not part of what is compared.
    vm.set_max_instructions(usize::MAX);
    let texts: Vec<String> = list(folder, "inputs.json").iter().map(|input| input.to_string()).collect();
    let values: Vec<Value> = texts.iter().map(|text| Value::from_json_str(text).expect("an input")).collect();
    let allow = Value::from("allow");
    let decide = move |i: usize| {
        vm.set_input(if from_text { Value::from_json_str(&texts[i]).expect("an input") } else { values[i].clone() });
        let answer = vm.execute().expect("evaluates");
        answer == Value::from(true) || answer.as_object().is_ok_and(|object| object.get(&allow) == Some(&Value::from(true)))
    };
    (list(folder, "inputs.json").len(), Box::new(decide))
}

fn cedar(folder: &Path, from_json: bool) -> (usize, Decide) {
    let policies: PolicySet = text(folder, "policy.cedar").parse().expect("policies");
    let entities = Entities::from_json_str(&text(folder, "cedar-entities.json"), None).expect("entities");
    let asked = list(folder, "cedar-requests.json");
    let prebuilt: Vec<Request> = asked.iter().map(request).collect();
    let authorizer = Authorizer::new();
    let count = asked.len();
    let decide = move |i: usize| {
        let built;
        let one = if from_json {
            built = request(&asked[i]);
            &built
        } else {
            &prebuilt[i]
        };
        authorizer.is_authorized(one, &policies, &entities).decision() == Decision::Allow
    };
    (count, Box::new(decide))
}

fn request(asked: &serde_json::Value) -> Request {
    let uid = |name: &str| EntityUid::from_json(asked[name].clone()).expect("an entity");
    let context = Context::from_json_value(asked["context"].clone(), None).expect("a context");
    Request::new(uid("principal"), uid("action"), uid("resource"), context, None).expect("a request")
}
