//! The table itself: whether it is there and of the right form, and how it is made.
//!
//! Invariant: a table that lacks a key or an index is refused at the start, by name, not at the first use.

use super::item::{BY_DUE, BY_PATH, BY_TENANT, Index};
use super::{Dynamo, fault};
use crate::error::StoreError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TableDescription, TableStatus, TimeToLiveSpecification,
};
use std::time::Duration;

const INDEXES: [Index; 3] = [BY_TENANT, BY_DUE, BY_PATH];
/// Between two looks at a table that is being made.
const LOOK: Duration = Duration::from_millis(200);
/// The longest that making one may take.
const MAKING: Duration = Duration::from_secs(120);

fn unfit(error: impl std::fmt::Display) -> StoreError {
    StoreError::Refused(error.to_string())
}

fn keys(hash: &str, range: &str) -> Result<[KeySchemaElement; 2], StoreError> {
    let one = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(unfit);
    Ok([one(hash, KeyType::Hash)?, one(range, KeyType::Range)?])
}

impl Dynamo {
    /// Whether the table is there; makes it where `create` says so, and waits for it.
    pub(super) async fn ensure(&self, create: bool) -> Result<(), StoreError> {
        let late = |_| Err(StoreError::Unreachable(format!("the table {} does not come to be", self.table)));
        tokio::time::timeout(MAKING, self.made(create)).await.unwrap_or_else(late)
    }

    async fn made(&self, create: bool) -> Result<(), StoreError> {
        loop {
            match self.described().await? {
                None if create => self.create().await?,
                None => {
                    let why = format!("there is no table {} (catalog.dynamodb.create = true makes it)", self.table);
                    return Err(StoreError::Refused(why));
                }
                Some(table) if table.table_status() == Some(&TableStatus::Creating) => tokio::time::sleep(LOOK).await,
                Some(table) => return self.fits(&table),
            }
        }
    }

    async fn described(&self) -> Result<Option<TableDescription>, StoreError> {
        let request = self.client().await?.describe_table().table_name(&self.table);
        match request.send().await {
            Ok(output) => Ok(output.table),
            Err(error) if error.as_service_error().is_some_and(DescribeTableError::is_resource_not_found_exception) => {
                Ok(None)
            }
            Err(error) => Err(fault(&error)),
        }
    }

    fn fits(&self, table: &TableDescription) -> Result<(), StoreError> {
        let has = |schema: &[KeySchemaElement], hash: &str, range: &str| {
            schema.iter().map(KeySchemaElement::attribute_name).eq([hash, range])
        };
        if !has(table.key_schema(), "pk", "sk") {
            return Err(StoreError::Refused(format!("the table {} has other keys than pk and sk", self.table)));
        }
        for index in INDEXES {
            let found = table.global_secondary_indexes().iter().any(|there| {
                there.index_name() == Some(index.name) && has(there.key_schema(), index.hash, index.range)
            });
            if !found {
                let Index { name, hash, range } = index;
                let why = format!("the table {} lacks the index {name} of {hash} and {range}", self.table);
                return Err(StoreError::Refused(why));
            }
        }
        Ok(())
    }

    async fn create(&self) -> Result<(), StoreError> {
        let client = self.client().await?;
        let mut request = client.create_table().table_name(&self.table).billing_mode(BillingMode::PayPerRequest);
        request = request.set_key_schema(Some(keys("pk", "sk")?.to_vec()));
        let names = ["pk", "sk"].into_iter().chain(INDEXES.iter().flat_map(|index| [index.hash, index.range]));
        for name in names {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            let attribute = attribute.attribute_type(ScalarAttributeType::S).build().map_err(unfit)?;
            request = request.attribute_definitions(attribute);
        }
        for index in INDEXES {
            let all = Projection::builder().projection_type(ProjectionType::All).build();
            let made = GlobalSecondaryIndex::builder().index_name(index.name).projection(all);
            let made = made.set_key_schema(Some(keys(index.hash, index.range)?.to_vec()));
            request = request.global_secondary_indexes(made.build().map_err(unfit)?);
        }
        match request.send().await {
            Ok(_) => {}
            // Another instance makes it too.
            Err(error) if error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) => {}
            Err(error) => return Err(fault(&error)),
        }
        while self.described().await?.is_some_and(|table| table.table_status() == Some(&TableStatus::Creating)) {
            tokio::time::sleep(LOOK).await;
        }
        let ttl = TimeToLiveSpecification::builder().attribute_name("ttl").enabled(true).build().map_err(unfit)?;
        let request = client.update_time_to_live().table_name(&self.table).time_to_live_specification(ttl);
        request.send().await.map(drop).map_err(|error| fault(&error))
    }
}
