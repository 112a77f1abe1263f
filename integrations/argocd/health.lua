-- Health of a ModelDeployment for Argo CD: what it shows beside the object, and what a sync with waves waits for.
-- Goes into the ConfigMap argocd-cm under resource.customizations.health.ballast.dev_ModelDeployment.
local health = { status = "Progressing", message = "waiting for the operator" }

local function condition(name)
  for _, one in ipairs(obj.status.conditions or {}) do
    if one.type == name then
      return one
    end
  end
  return nil
end

if obj.metadata.deletionTimestamp ~= nil then
  health.message = "being deleted"
  return health
end
if obj.status == nil or obj.status.observedGeneration == nil then
  return health
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  health.message = "waiting for the operator to see generation " .. string.format("%d", obj.metadata.generation)
  return health
end

local ready = condition("Ready")
local stalled = condition("Stalled")
local reconciling = condition("Reconciling")
if ready ~= nil then
  health.message = ready.message
end
if stalled ~= nil and stalled.status == "True" then
  health.status = "Degraded"
  health.message = stalled.reason .. ": " .. stalled.message
elseif ready ~= nil and ready.status == "True" then
  health.status = "Healthy"
elseif obj.spec.suspend == true and (reconciling == nil or reconciling.status == "False") then
  health.status = "Suspended"
end
return health
