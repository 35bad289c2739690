//! `samtale-cluster`: a real Redis, a real CQL server and three gateways on this machine, with one command.
//!
//! It says what to open and who can log in, writes the same into `cluster.json` in its folder, and stops all that it
//! started on Ctrl-C or SIGTERM. The same folder goes on where it was.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use samtale_tests::cluster::{Cluster, ClusterOptions, Footing, missing};
use samtale_tests::process::told_to_end;
use serde_json::{Value, json};

/// The file that says for scripts what runs.
const FILE: &str = "cluster.json";

/// Start a Redis, a CQL server and gateways on this machine, with a made-up school.
#[derive(Parser)]
#[command(after_help = "Examples:
  samtale-cluster --data cluster
  samtale-cluster --data cluster --port 9000 --gateways 5
  samtale-cluster --data cluster --set metrics.listen=127.0.0.1:910{gateway}
  SAMTALE_CQL=db.example:9042 samtale-cluster --data cluster")]
struct Arguments {
    /// The folder of everything.
    #[arg(long, default_value = "cluster")]
    data: PathBuf,
    /// The port of the first gateway; the others follow.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// How many gateways.
    #[arg(long, default_value_t = 3)]
    gateways: usize,
    /// The folder of the built web app.
    #[arg(long)]
    web: Option<PathBuf>,
    /// The keyspace of the cluster, for a CQL server that is given.
    #[arg(long, default_value = "samtale")]
    keyspace: String,
    /// Drop the keyspace at the end; otherwise the same folder goes on where it was.
    #[arg(long)]
    drop_keyspace: bool,
    /// Any other setting of the gateways, whose number stands for `{gateway}` in it; may be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("samtale-cluster: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    if let Some(missing) = missing()? {
        bail!("missing: {missing}");
    }
    let mut settings = arguments.set;
    if let Some(web) = &arguments.web {
        settings.push(format!("web={}", std::path::absolute(web)?.display()));
    }
    let folder = std::path::absolute(&arguments.data)?;
    let options = ClusterOptions {
        folder: folder.clone(),
        gateways: arguments.gateways,
        first_port: Some(arguments.port),
        footing: Footing::ServicesDirectly,
        keyspace: arguments.keyspace,
        drops_keyspace: arguments.drop_keyspace,
        settings,
        seed: 0,
    };
    let mut ending = std::pin::pin!(told_to_end());
    eprintln!(
        "starting Redis, a CQL server and {} gateways, in {}",
        options.gateways,
        folder.display()
    );
    let starting = async {
        let cluster = Cluster::prepare(options).await?;
        let logins = cluster.gateways[0].lock().await.start_demo().await?;
        cluster.start_others().await?;
        anyhow::Ok((cluster, logins))
    };
    let started = tokio::select! {
        started = starting => started?,
        _ = &mut ending => return Ok(()),
    };
    let (cluster, logins) = started;
    let told = told(&cluster, logins).await;
    write(&folder, &told)?;
    print!("{}", screen(&told));
    tokio::select! {
        _ = &mut ending => {}
        ended = first_that_ends(&cluster) => {
            cluster.stop().await?;
            bail!("{ended}");
        }
    }
    eprintln!("stopping");
    std::fs::remove_file(folder.join(FILE)).context(FILE)?;
    cluster.stop().await
}

/// What `cluster.json` says.
async fn told(cluster: &Cluster, logins: Value) -> Value {
    let mut gateways = Vec::new();
    for gateway in &cluster.gateways {
        let gateway = gateway.lock().await;
        gateways.push(json!({ "url": gateway.url(), "pid": gateway.id() }));
    }
    let services = cluster.services.as_ref();
    json!({
        "gateways": gateways,
        "redis": services.map(|services| format!("redis://{}", services.redis_address)),
        "cql": services.map(|services| services.cql.address().to_string()),
        "logins": logins,
    })
}

/// Writes the file, whole and for its owner alone: passwords of people who do not exist are in it.
fn write(folder: &Path, told: &Value) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let beside = folder.join(".cluster.json.new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    writeln!(file, "{}", serde_json::to_string_pretty(told)?)?;
    std::fs::rename(beside, folder.join(FILE)).context(FILE)
}

/// What the person who started it sees.
fn screen(told: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let gateways = told["gateways"].as_array().into_iter().flatten();
    let gateways: Vec<String> = gateways
        .map(|gateway| format!("    {}", text(&gateway["url"])))
        .collect();
    let logins = told["logins"].as_array().into_iter().flatten();
    let logins: Vec<String> = logins
        .map(|login| {
            let [role, name, username, password] =
                ["role", "name", "username", "password"].map(|key| text(&login[key]));
            format!("    {role:<10} {name:<22} {username:<20} {password}")
        })
        .collect();
    format!(
        "
  Flere servere, én samtale. Åbn siden på hver sin:
  Many gateways, one conversation. Open the page, each on another:

{}

  Skolen er opdigtet. Log ind som en af de tre:
  The school is made up. Log in as one of the three:

{}

  Redis {}, CQL {}

  Ctrl-C stopper det hele. Samme mappe fortsætter, hvor du slap.
  Ctrl-C stops all of it. The same folder goes on where you left off.

",
        gateways.join("\n"),
        logins.join("\n"),
        text(&told["redis"]),
        text(&told["cql"]),
    )
}

/// Waits until a gateway ends by itself, which it should not; says which.
async fn first_that_ends(cluster: &Cluster) -> String {
    loop {
        for gateway in &cluster.gateways {
            let mut gateway = gateway.lock().await;
            if !gateway.is_running() {
                return format!("gateway {} ended:\n{}", gateway.number, gateway.last_of_log());
            }
        }
        // tidy: waits because processes are looked at now and then, as long as the cluster runs
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}
